//! Writes the seeds to `seeds/`, a file each.

use std::{fs, io, path::Path};

use undersign_fuzz::seeds;

fn main() -> io::Result<()> {
    for (name, input) in seeds::sign() {
        write("sign", name, &seeds::encode(&input))?;
    }
    for (name, value) in seeds::authorization() {
        write("authorization", name, value.as_bytes())?;
    }
    for (name, input, _) in seeds::listener() {
        write("listener", name, &input.encode())?;
    }
    Ok(())
}

fn write(target: &str, name: &str, bytes: &[u8]) -> io::Result<()> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("seeds")
        .join(target);
    fs::create_dir_all(&directory)?;
    fs::write(directory.join(name), bytes)
}
