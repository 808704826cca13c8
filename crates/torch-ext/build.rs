//! Builds the C++ shim against LibTorch's headers, and links tests with the path of its libraries.

use std::env;
use std::path::Path;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=csrc/shim.cpp");
    let Ok(lib) = env::var("DEP_TCH_LIBTORCH_LIB") else {
        println!("cargo::error=torch-sys does not give LibTorch's folder; run `cargo xtask provision`");
        return;
    };
    println!("cargo::rustc-link-arg=-Wl,-rpath,{lib}");
    let include = Path::new(&lib).with_file_name("include");
    cc::Build::new()
        .cpp(true)
        .std("c++17")
        .pic(true)
        .warnings(false)
        .opt_level(2)
        .debug(false)
        .include(&include)
        .include(include.join("torch/csrc/api/include"))
        .define("_GLIBCXX_USE_CXX11_ABI", "1")
        .file("csrc/shim.cpp")
        .compile("tsumugi_torch_shim");
    println!("cargo::rustc-link-search=native={lib}");
    for name in ["torch", "torch_cpu", "c10"] {
        println!("cargo::rustc-link-lib={name}");
    }
}
