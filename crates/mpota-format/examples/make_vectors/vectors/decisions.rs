//! Boards, and whether they take a version. The hashes were taken and the shares compared by another program, in
//! Python, which also looked for ids that stand just below and just at the limits.

use super::{Files, put};

/// One decision a line. For v1.2.0 the ids `e6614c311b…` stand, in this order, at 655, 656, 3276, 3277, 6553, 6554,
/// 16383, 16384, 21626, 21627, 32767, 32768, 49151, 49152, 64880 and 64881; `…00bdbd` stands at 0 and `…01d71b` at
/// 65535.
const DECISIONS: &str = r#"{"version":"v1.2.0","id":"e6614c311b003f78","now":1796500000,"halted":false,"stages":[[0,1]],"boards":[],"takes":true}
{"version":"v1.2.0","id":"e6614c311b004381","now":1796500000,"halted":false,"stages":[[0,1]],"boards":[],"takes":false}
{"version":"v1.2.0","id":"e6614c311b00f466","now":1796500000,"halted":false,"stages":[[0,5]],"boards":[],"takes":true}
{"version":"v1.2.0","id":"e6614c311b01c0c5","now":1796500000,"halted":false,"stages":[[0,5]],"boards":[],"takes":false}
{"version":"v1.2.0","id":"e6614c311b0049c2","now":1796500000,"halted":false,"stages":[[0,10]],"boards":[],"takes":true}
{"version":"v1.2.0","id":"e6614c311b0074ca","now":1796500000,"halted":false,"stages":[[0,10]],"boards":[],"takes":false}
{"version":"v1.2.0","id":"e6614c311b007605","now":1796500000,"halted":false,"stages":[[0,25]],"boards":[],"takes":true}
{"version":"v1.2.0","id":"e6614c311b003536","now":1796500000,"halted":false,"stages":[[0,25]],"boards":[],"takes":false}
{"version":"v1.2.0","id":"e6614c311b011ca7","now":1796500000,"halted":false,"stages":[[0,33]],"boards":[],"takes":true}
{"version":"v1.2.0","id":"e6614c311b00d85f","now":1796500000,"halted":false,"stages":[[0,33]],"boards":[],"takes":false}
{"version":"v1.2.0","id":"e6614c311b0004b3","now":1796500000,"halted":false,"stages":[[0,50]],"boards":[],"takes":true}
{"version":"v1.2.0","id":"e6614c311b00f4c8","now":1796500000,"halted":false,"stages":[[0,50]],"boards":[],"takes":false}
{"version":"v1.2.0","id":"e6614c311b01303e","now":1796500000,"halted":false,"stages":[[0,75]],"boards":[],"takes":true}
{"version":"v1.2.0","id":"e6614c311b005dd1","now":1796500000,"halted":false,"stages":[[0,75]],"boards":[],"takes":false}
{"version":"v1.2.0","id":"e6614c311b00627f","now":1796500000,"halted":false,"stages":[[0,99]],"boards":[],"takes":true}
{"version":"v1.2.0","id":"e6614c311b000f94","now":1796500000,"halted":false,"stages":[[0,99]],"boards":[],"takes":false}
{"version":"v1.2.0","id":"e6614c311b00bdbd","now":1796500000,"halted":false,"stages":[[0,0]],"boards":[],"takes":false}
{"version":"v1.2.0","id":"e6614c311b00bdbd","now":1796500000,"halted":false,"stages":[[0,100]],"boards":[],"takes":true}
{"version":"v1.2.0","id":"e6614c311b004381","now":1796500000,"halted":false,"stages":[[0,0]],"boards":[],"takes":false}
{"version":"v1.2.0","id":"e6614c311b004381","now":1796500000,"halted":false,"stages":[[0,100]],"boards":[],"takes":true}
{"version":"v1.2.0","id":"e6614c311b00f4c8","now":1796500000,"halted":false,"stages":[[0,0]],"boards":[],"takes":false}
{"version":"v1.2.0","id":"e6614c311b00f4c8","now":1796500000,"halted":false,"stages":[[0,100]],"boards":[],"takes":true}
{"version":"v1.2.0","id":"e6614c311b01d71b","now":1796500000,"halted":false,"stages":[[0,0]],"boards":[],"takes":false}
{"version":"v1.2.0","id":"e6614c311b01d71b","now":1796500000,"halted":false,"stages":[[0,100]],"boards":[],"takes":true}
{"version":"v1.2.0","id":"e6614c311b00bdbd","now":1796500000,"halted":false,"stages":[[0,1]],"boards":[],"takes":true}
{"version":"v1.2.0","id":"e6614c311b01d71b","now":1796500000,"halted":false,"stages":[[0,99]],"boards":[],"takes":false}
{"version":"v1.2.0","id":"e6614c311b00f466","now":1796500000,"halted":false,"stages":[[0,25]],"boards":[],"takes":true}
{"version":"v1.2.0","id":"e6614c311b00f466","now":1796500000,"halted":false,"stages":[[0,100]],"boards":[],"takes":true}
{"version":"v1.2.0","id":"e6614c311b01c0c5","now":1796500000,"halted":false,"stages":[[0,25]],"boards":[],"takes":true}
{"version":"v1.2.0","id":"e6614c311b01c0c5","now":1796500000,"halted":false,"stages":[[0,100]],"boards":[],"takes":true}
{"version":"v1.2.0","id":"e6614c311b007605","now":1796500000,"halted":false,"stages":[[0,5]],"boards":[],"takes":false}
{"version":"v1.2.0","id":"e6614c311b007605","now":1796500000,"halted":false,"stages":[[0,100]],"boards":[],"takes":true}
{"version":"v1.2.0","id":"e6614c311b003536","now":1796500000,"halted":false,"stages":[[0,5]],"boards":[],"takes":false}
{"version":"v1.2.0","id":"e6614c311b003536","now":1796500000,"halted":false,"stages":[[0,100]],"boards":[],"takes":true}
{"version":"v1.2.0","id":"e6614c311b00bdbd","now":1796500000,"halted":false,"stages":[[0,50]],"boards":[],"takes":true}
{"version":"v1.2.0","id":"e6614c311b01d71b","now":1796500000,"halted":false,"stages":[[0,50]],"boards":[],"takes":false}
{"version":"v1.2.1","id":"e6614c311b00bdbd","now":1796500000,"halted":false,"stages":[[0,50]],"boards":[],"takes":true}
{"version":"v1.2.1","id":"e6614c311b01d71b","now":1796500000,"halted":false,"stages":[[0,50]],"boards":[],"takes":true}
{"version":"1.2.0","id":"e6614c311b00bdbd","now":1796500000,"halted":false,"stages":[[0,50]],"boards":[],"takes":false}
{"version":"1.2.0","id":"e6614c311b01d71b","now":1796500000,"halted":false,"stages":[[0,50]],"boards":[],"takes":false}
{"version":"v1.2.0+b","id":"e6614c311b00bdbd","now":1796500000,"halted":false,"stages":[[0,50]],"boards":[],"takes":true}
{"version":"v1.2.0+b","id":"e6614c311b01d71b","now":1796500000,"halted":false,"stages":[[0,50]],"boards":[],"takes":true}
{"version":"v1.3.0-rc.1","id":"e6614c311b00bdbd","now":1796500000,"halted":false,"stages":[[0,50]],"boards":[],"takes":false}
{"version":"v1.3.0-rc.1","id":"e6614c311b01d71b","now":1796500000,"halted":false,"stages":[[0,50]],"boards":[],"takes":false}
{"version":"v1.2.0","id":"a","now":1796500000,"halted":false,"stages":[[0,50]],"boards":[],"takes":true}
{"version":"v1.2.0","id":"240ac4123456","now":1796500000,"halted":false,"stages":[[0,50]],"boards":[],"takes":true}
{"version":"v1.2.0","id":"E6614C311B00BDBD","now":1796500000,"halted":false,"stages":[[0,50]],"boards":[],"takes":false}
{"version":"v1.2.0","id":"board.7_b-x","now":1796500000,"halted":false,"stages":[[0,50]],"boards":[],"takes":false}
{"version":"v1.2.0","id":"0","now":1796500000,"halted":false,"stages":[[0,50]],"boards":[],"takes":false}
{"version":"v1.2.0","id":"ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff","now":1796500000,"halted":false,"stages":[[0,50]],"boards":[],"takes":true}
{"version":"v1.2.0","id":"e6614c311b01c0c5","now":0,"halted":false,"stages":[[0,0],[1796000000,5],[1796500000,25],[1797000000,100]],"boards":[],"takes":false}
{"version":"v1.2.0","id":"e6614c311b01c0c5","now":1795999999,"halted":false,"stages":[[0,0],[1796000000,5],[1796500000,25],[1797000000,100]],"boards":[],"takes":false}
{"version":"v1.2.0","id":"e6614c311b01c0c5","now":1796000000,"halted":false,"stages":[[0,0],[1796000000,5],[1796500000,25],[1797000000,100]],"boards":[],"takes":false}
{"version":"v1.2.0","id":"e6614c311b01c0c5","now":1796499999,"halted":false,"stages":[[0,0],[1796000000,5],[1796500000,25],[1797000000,100]],"boards":[],"takes":false}
{"version":"v1.2.0","id":"e6614c311b01c0c5","now":1796500000,"halted":false,"stages":[[0,0],[1796000000,5],[1796500000,25],[1797000000,100]],"boards":[],"takes":true}
{"version":"v1.2.0","id":"e6614c311b01c0c5","now":1796999999,"halted":false,"stages":[[0,0],[1796000000,5],[1796500000,25],[1797000000,100]],"boards":[],"takes":true}
{"version":"v1.2.0","id":"e6614c311b01c0c5","now":1797000000,"halted":false,"stages":[[0,0],[1796000000,5],[1796500000,25],[1797000000,100]],"boards":[],"takes":true}
{"version":"v1.2.0","id":"e6614c311b01c0c5","now":9999999999,"halted":false,"stages":[[0,0],[1796000000,5],[1796500000,25],[1797000000,100]],"boards":[],"takes":true}
{"version":"v1.2.0","id":"e6614c311b00bdbd","now":0,"halted":false,"stages":[[1796500000,100]],"boards":[],"takes":false}
{"version":"v1.2.0","id":"e6614c311b00bdbd","now":1796499999,"halted":false,"stages":[[1796500000,100]],"boards":[],"takes":false}
{"version":"v1.2.0","id":"e6614c311b00bdbd","now":1796500000,"halted":false,"stages":[[1796500000,100]],"boards":[],"takes":true}
{"version":"v1.2.0","id":"e6614c311b00bdbd","now":1795999999,"halted":false,"stages":[[0,100],[1796000000,0]],"boards":[],"takes":true}
{"version":"v1.2.0","id":"e6614c311b00bdbd","now":1796000000,"halted":false,"stages":[[0,100],[1796000000,0]],"boards":[],"takes":false}
{"version":"v1.2.0","id":"e6614c311b00bdbd","now":1796500000,"halted":false,"stages":[[9999999999,100]],"boards":[],"takes":false}
{"version":"v1.2.0","id":"e6614c311b00bdbd","now":9999999999,"halted":false,"stages":[[9999999999,100]],"boards":[],"takes":true}
{"version":"v1.2.0","id":"e6614c311b01d71b","now":1796500000,"halted":false,"stages":[[0,0]],"boards":["e6614c311b01d71b","240ac4123456"],"takes":true}
{"version":"v1.2.0","id":"240ac4123456","now":1796500000,"halted":false,"stages":[[0,0]],"boards":["e6614c311b01d71b","240ac4123456"],"takes":true}
{"version":"v1.2.0","id":"240ac4123457","now":1796500000,"halted":false,"stages":[[0,0]],"boards":["e6614c311b01d71b","240ac4123456"],"takes":false}
{"version":"v1.2.0","id":"240AC4123456","now":1796500000,"halted":false,"stages":[[0,0]],"boards":["e6614c311b01d71b","240ac4123456"],"takes":false}
{"version":"v1.2.0","id":"240ac412345","now":1796500000,"halted":false,"stages":[[0,0]],"boards":["e6614c311b01d71b","240ac4123456"],"takes":false}
{"version":"v1.2.0","id":"240ac4123456","now":0,"halted":false,"stages":[[1796500000,100]],"boards":["e6614c311b01d71b","240ac4123456"],"takes":true}
{"version":"v1.2.0","id":"e6614c311b00bdbd","now":1796500000,"halted":false,"stages":[[0,1]],"boards":["e6614c311b01d71b","240ac4123456"],"takes":true}
{"version":"v1.2.0","id":"e6614c311b00bdbd","now":1796500000,"halted":true,"stages":[[0,100]],"boards":[],"takes":false}
{"version":"v1.2.0","id":"240ac4123456","now":1796500000,"halted":true,"stages":[[0,100]],"boards":["e6614c311b01d71b","240ac4123456"],"takes":false}
{"version":"v1.2.0","id":"240ac4123456","now":1796500000,"halted":true,"stages":[[0,0]],"boards":["e6614c311b01d71b","240ac4123456"],"takes":false}
{"version":"v1.2.0","id":"e6614c311b01d71b","now":0,"halted":true,"stages":[[0,100]],"boards":[],"takes":false}
"#;

pub fn add(files: &mut Files) {
    put(files, "rollout/decisions", DECISIONS);
}
