//! Lets cargo notice that the web UI was built: what is embedded is what `web/dist` holds now. The
//! folder is made when it is missing, because cargo can watch only what exists.

fn main() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../web/dist");
    // Where it cannot be made, the server is built without a UI and says so on its page.
    drop(std::fs::create_dir_all(folder));
    println!("cargo:rerun-if-changed={folder}");
}
