//! Puts the folder of LibTorch into what is linked, so that examples and tests run without `LD_LIBRARY_PATH`.
//!
//! Link arguments of a dependency's build script do not reach the final binary, so each package that links LibTorch says
//! it for itself. Without LibTorch among the dependencies there is nothing to say.

fn main() {
    println!("cargo::rerun-if-env-changed=DEP_TCH_LIBTORCH_LIB");
    if let Ok(lib) = std::env::var("DEP_TCH_LIBTORCH_LIB") {
        println!("cargo::rustc-link-arg=-Wl,-rpath,{lib}");
    }
}
