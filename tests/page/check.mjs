// Opens the page of a running qualifyd in Chromium, as a person would, and checks what can be checked by machine.
//
//   node check.mjs URL FOLDER [TOKEN]
//
// Checks in both themes and at a phone's width: no request leaves the origin, nothing is written to the console, axe
// finds nothing, the panels have contents, nothing is wider than the screen, a lead opens by keyboard and closes again.
// Screenshots go to FOLDER. Exit status: 0 fine, 1 findings, 2 wrong usage. CHROMIUM names another browser.
import { readFile, mkdir } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { chromium } from 'playwright-core';

const [url, folder, token] = process.argv.slice(2);
if (!url || !folder) {
  console.error('Usage: node check.mjs URL FOLDER [TOKEN]');
  process.exit(2);
}
const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const findings = [];
const views = [
  { name: 'light', colorScheme: 'light', viewport: { width: 1440, height: 1000 } },
  { name: 'dark', colorScheme: 'dark', viewport: { width: 1440, height: 1000 } },
  { name: 'phone', colorScheme: 'light', viewport: { width: 390, height: 844 }, hasTouch: true },
  { name: 'phone-dark', colorScheme: 'dark', viewport: { width: 390, height: 844 }, hasTouch: true },
];
/** What must stand in each panel once there are leads. */
const contents = {
  '#model': /\S v\d/, '#state': /Ready/, '#figures': /Leads/, '#funnel-body': /now/, '#live-list': /\S/, '#leads-body': /\S/,
  '#slas-body': /\S/, '#channels-body': /CAC|No credit/, '#health-body': /Throughput/,
};

await mkdir(folder, { recursive: true });
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox'] });
try {
  for (const view of views) await look(view);
} finally {
  await browser.close();
}
findings.forEach(finding => console.log(finding));
console.log(findings.length ? `${findings.length} findings` : `fine: ${views.map(view => view.name).join(', ')}`);
process.exitCode = findings.length ? 1 : 0;

async function look({ name, ...options }) {
  const found = text => findings.push(`${name}: ${text}`);
  const context = await browser.newContext({ ...options, reducedMotion: 'reduce' });
  const page = await context.newPage();
  page.on('request', request => new URL(request.url()).origin === new URL(url).origin || request.url().startsWith('data:') || found(`asks ${request.url()}`));
  page.on('console', message => ['error', 'warning'].includes(message.type()) && !expected(message) && found(`console: ${message.text()}`));
  page.on('pageerror', error => found(`script: ${error.message}`));
  page.on('dialog', dialog => { found(`a script of an event ran: ${dialog.message()}`); return dialog.dismiss(); });
  const shot = (part, fullPage = false) => page.screenshot({ path: join(folder, `${name}${part}.png`), fullPage });

  await page.goto(url);
  if (token) {
    await page.locator('#token-text').waitFor();
    await audit(page, 'token', found);
    await shot('-token');
    await page.locator('#token-text').fill(token);
    await page.keyboard.press('Enter');
  }
  await page.locator('[data-lead]').first().waitFor({ timeout: 15000 }).catch(() => found('no lead came within 15 s'));
  await page.waitForTimeout(2500);
  for (const [selector, pattern] of Object.entries(contents)) {
    const text = await page.locator(selector).innerText();
    if (!pattern.test(text)) found(`${selector} says ${JSON.stringify(text.slice(0, 80))}, which is not ${pattern}`);
  }
  await fits(page, found);
  await steady(page, found);
  const pressed = await page.locator('[aria-pressed]:not([aria-pressed=true], [aria-pressed=false])').count();
  if (pressed) found(`${pressed} switches that say neither on nor off`);
  await audit(page, 'page', found);
  await shot('', true);

  const first = page.locator('#leads-body [data-lead]').first();
  if (await first.count()) {
    await first.focus();
    await page.keyboard.press('Enter');
    await page.locator('#lead .curve, #lead .empty').first().waitFor({ timeout: 15000 }).catch(() => found('the lead did not open'));
    await page.locator('#chart').focus();
    await page.keyboard.press('ArrowLeft');
    if (!/: /.test((await page.locator('#chart').getAttribute('aria-valuetext')) ?? '')) found('arrow keys read nothing from the chart');
    await audit(page, 'lead', found);
    await shot('-lead');
    await page.locator('#lead').evaluate(lead => lead.scrollTo(0, 720));
    await shot('-lead-below');
    await page.keyboard.press('Escape');
    if (await page.locator('#lead').isVisible()) found('Escape does not close the lead');
    if (!(await first.evaluate(button => button === document.activeElement))) found('the focus does not return to the lead in the list');
  }
  await context.close();
}

/** Browsers write every answer that is an error to the console; the first one without a token is meant to be one. */
function expected(message) {
  return token && /401/.test(message.text());
}

async function audit(page, part, found) {
  const violations = await page.evaluate(`${axe}; axe.run(document, { resultTypes: ['violations'] }).then(result => result.violations)`);
  for (const { id, help, nodes } of violations) found(`axe on the ${part}: ${id}: ${help}: ${nodes.slice(0, 3).map(node => node.target.join(' ')).join(', ')}`);
}

async function fits(page, found) {
  const [wide, room] = await page.evaluate(() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]);
  if (wide > room) found(`${wide} px wide on a screen of ${room} px`);
}

/** A refresh must change texts, not rebuild what is there: the list's first row is the same element afterwards. */
async function steady(page, found) {
  const stays = await page.evaluate(async () => {
    const rows = () => [...document.querySelectorAll('#funnel-body button, #leads-body button')], before = rows();
    await new Promise(done => setTimeout(done, 3600));
    return before.filter(row => !row.isConnected).length <= before.length / 2;
  });
  if (!stays) found('a refresh rebuilds the panels');
}
