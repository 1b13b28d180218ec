mod oracle;
use oracle::generate::Case;
#[test]
fn smoke() {
    for seed in 0..50 {
        let case = Case::of(seed);
        let text = case.model.to_json();
        assert_eq!(oracle::doc::Doc::read(&text), case.model);
        let model = oracle::Model::read(&text);
        let t = std::time::Instant::now();
        let out = oracle::replay(&model, &case.input(), oracle::Options { until: case.until, scores: case.scores, every_second: false });
        println!("{seed} lines {} out {} {:?}", case.lines.len(), out.len(), t.elapsed());
    }
}
