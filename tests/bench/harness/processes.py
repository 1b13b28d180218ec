"""Processes that end with this one, and what they cost."""

import ctypes
import os
import signal
import subprocess
import time

TICKS = os.sysconf("SC_CLK_TCK")


def _end_with_parent():
    pr_set_pdeathsig = 1
    ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGKILL)


def start(command, log, **more):
    """Starts a process whose standard error goes to the file `log`."""
    with open(log, "ab") as stderr:
        command = [str(word) for word in command]
        return subprocess.Popen(command, stderr=stderr, text=True, preexec_fn=_end_with_parent, **more)


def check(command, allowed=(0,)):
    """Runs a process to its end; what it printed."""
    command = [str(word) for word in command]
    done = subprocess.run(command, capture_output=True, text=True, preexec_fn=_end_with_parent)
    if done.returncode not in allowed:
        raise SystemExit(f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}")
    return done.stdout


def stop(process, seconds=60):
    """Ends a process as an operator would."""
    if process.poll() is None:
        process.terminate()
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def cpu_seconds(pid):
    """User and system time of a process so far; 10 ms is the kernel's resolution."""
    with open(f"/proc/{pid}/stat") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def memory_mb(pid, field):
    """VmHWM: the peak of resident memory; VmRSS: now."""
    with open(f"/proc/{pid}/status") as file:
        for line in file:
            if line.startswith(field):
                return int(line.split()[1]) / 1024
    return 0.0


def busy_seconds():
    """CPU time of the whole machine: a process measured on a machine that others use is measured badly."""
    with open("/proc/stat") as file:
        fields = [int(field) for field in file.readline().split()[1:]]
    return sum(fields[:3] + fields[5:8]) / TICKS


def numbers(line):
    """`records=5 seconds=1.5` as a dictionary."""
    pairs = (word.split("=", 1) for word in line.split() if "=" in word)
    return {key: value for key, value in pairs}


def wait_for(condition, seconds, what, alive=None):
    """Waits for a condition; `alive` is a process without which waiting is of no use."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        if alive is not None and alive.poll() is not None:
            break
        time.sleep(0.01)
    raise SystemExit(f"{what} did not come; the logs are in target/bench/work")
