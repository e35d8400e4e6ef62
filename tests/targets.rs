//! Request targets and `Host`: what is forwarded byte for byte, and what is refused.

mod support;

use support::bench::Bench;

#[test]
fn smoke() {
    let bench = Bench::new();
    bench.forwarded(support::bench::GOOD);
    bench.finish();
}
