//! Gets what the tests run on into `.tools/` of the repository: MicroPython's Unix port, 64 and 32
//! bit, from Debian's packages. Nothing outside of that folder is touched.

use crate::{Error, repository};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The word size of an interpreter: 32 bit shows the use of the heap as on a board.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Word {
    /// 64 bit.
    Bits64,
    /// 32 bit.
    Bits32,
}

impl Word {
    fn architecture(self) -> &'static str {
        match self {
            Word::Bits64 => "amd64",
            Word::Bits32 => "i386",
        }
    }

    fn variable(self) -> &'static str {
        match self {
            Word::Bits64 => "MPOTA_MICROPYTHON",
            Word::Bits32 => "MPOTA_MICROPYTHON32",
        }
    }
}

/// An interpreter and how to start it.
#[derive(Debug, Clone)]
pub struct MicroPython {
    command: Vec<PathBuf>,
}

/// Newer suites first asked for the package; an archive in the middle of a change has one that fits.
const SUITES: [&str; 3] = ["trixie", "forky", "sid"];
const PACKAGES: [&str; 6] =
    ["micropython", "libc6", "libffi8", "libmbedcrypto16", "libmbedtls21", "libmbedx509-7"];

impl MicroPython {
    /// A command that starts the interpreter with this much heap (as `-X heapsize` takes it).
    #[must_use]
    pub fn command(&self, heap: &str) -> Command {
        let mut command = Command::new(&self.command[0]);
        command.args(&self.command[1..]).arg("-X").arg(format!("heapsize={heap}"));
        command
    }

    /// The interpreter of this word size: from the environment (`MPOTA_MICROPYTHON`,
    /// `MPOTA_MICROPYTHON32`), from `.tools/`, from the `PATH`, or else installed into `.tools/`.
    ///
    /// # Errors
    /// When there is none and it cannot be got; the error says what to do.
    pub fn find(word: Word) -> Result<Self, Error> {
        if let Some(path) = std::env::var_os(word.variable()) {
            return Self { command: vec![path.into()] }.checked();
        }
        let home = repository().join(".tools").join(format!("micropython-{}", word.architecture()));
        if let Some(found) = Self::unpacked(&home) {
            return found.checked();
        }
        if word == Word::Bits64
            && let Ok(found) = (Self { command: vec!["micropython".into()] }).checked()
        {
            return Ok(found);
        }
        install(word, &home, &SUITES)?;
        Self::unpacked(&home).ok_or_else(|| missing(word, "the packages hold no interpreter"))?.checked()
    }

    /// The interpreter of this word size that one suite of Debian has, in a folder of its own in
    /// `.tools/`.
    ///
    /// # Errors
    /// When it cannot be got; the error says what to do.
    pub fn of_suite(word: Word, suite: &str) -> Result<Self, Error> {
        let home = repository().join(".tools").join(format!("micropython-{suite}-{}", word.architecture()));
        if let Some(found) = Self::unpacked(&home) {
            return found.checked();
        }
        install(word, &home, &[suite])?;
        Self::unpacked(&home).ok_or_else(|| missing(word, "the packages hold no interpreter"))?.checked()
    }

    fn unpacked(home: &Path) -> Option<Self> {
        if !home.join("complete").exists() {
            return None;
        }
        let text = std::fs::read_to_string(home.join("complete")).ok()?;
        let root = home.join("root");
        let lines: Vec<&str> = text.lines().collect();
        let [loader, library, program] = lines[..] else { return None };
        Some(Self {
            command: vec![root.join(loader), "--library-path".into(), root.join(library), root.join(program)],
        })
    }

    /// The interpreter runs here and has what the virtual board needs.
    fn checked(self) -> Result<Self, Error> {
        let mut command = self.command("1M");
        command.args(["-c", "import vfs, ffi, deflate, tls; print(vfs.VfsLfs2, vfs.VfsFat)"]);
        run(&mut command).map(|_| self)
    }
}

fn missing(word: Word, what: &str) -> Error {
    Error::Missing {
        what: format!("no MicroPython ({}) for the tests: {what}", word.architecture()),
        hint: format!(
            "install MicroPython's Unix port 1.24 or later (Debian 13, Ubuntu, Homebrew: package `micropython`), or set {}",
            word.variable()
        ),
    }
}

pub(crate) fn run(command: &mut Command) -> Result<String, Error> {
    let program = command.get_program().to_string_lossy().into_owned();
    let out = command.output().map_err(|source| Error::Io { path: program.clone().into(), source })?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    if out.status.success() {
        return Ok(text(&out.stdout));
    }
    Err(Error::Failed {
        program,
        status: out.status.to_string(),
        output: text(&out.stdout) + &text(&out.stderr),
    })
}

/// The archive that this Debian is set up with: its address, and the file with its key.
fn archive() -> Option<(String, String)> {
    let mut files = vec!["/etc/apt/sources.list".into()];
    let entries = std::fs::read_dir("/etc/apt/sources.list.d").into_iter().flatten().flatten();
    files.extend(
        entries.map(|e| e.path()).filter(|p| p.extension().is_some_and(|e| e == "list" || e == "sources")),
    );
    files.iter().find_map(|path| {
        let text = std::fs::read_to_string(path).ok()?;
        let uri = text
            .lines()
            .filter(|line| line.starts_with("URIs:") || line.starts_with("deb "))
            .flat_map(str::split_whitespace)
            .find(|word| word.contains("://") && word.trim_end_matches('/').ends_with("/debian"))?;
        let key = text
            .lines()
            .find_map(|line| line.strip_prefix("Signed-By:"))
            .map_or("/usr/share/keyrings/debian-archive-keyring.gpg", str::trim);
        Some((uri.to_owned(), key.to_owned()))
    })
}

/// Unpack MicroPython and its libraries into `home/root`, from the first of these suites that has
/// packages that fit.
fn install(word: Word, home: &Path, suites: &[&str]) -> Result<(), Error> {
    let (uri, key) =
        archive().ok_or_else(|| missing(word, "this is no Debian whose packages could be unpacked"))?;
    eprintln!("installing MicroPython ({}) into {} ...", word.architecture(), home.display());
    let mut why = String::new();
    for suite in suites {
        match install_from(word, home, &uri, &key, suite) {
            Ok(()) => return Ok(()),
            Err(e) => why = e.to_string(),
        }
    }
    let last = why.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("").to_owned();
    Err(missing(word, &format!("unpacking Debian's packages failed: {last}")))
}

/// The error for a path that the system does not let us use.
pub(crate) fn io(path: &Path) -> impl Fn(std::io::Error) -> Error + use<> {
    let path = path.to_owned();
    move |source| Error::Io { path: path.clone(), source }
}

/// Unpack packages of one suite of Debian into `home/root`, with an apt state of their own in
/// `home/apt`.
fn unpack(
    home: &Path,
    arch: &str,
    (uri, key): (&str, &str),
    suite: &str,
    packages: &[String],
) -> Result<(), Error> {
    if home.exists() {
        std::fs::remove_dir_all(home).map_err(io(home))?;
    }
    let apt = home.join("apt");
    for dir in ["state/lists/partial", "cache/archives/partial", "debs"] {
        std::fs::create_dir_all(apt.join(dir)).map_err(io(&apt))?;
    }
    let write = |name: &str, text: String| {
        let path = apt.join(name);
        std::fs::write(&path, text).map_err(io(&path))
    };
    write("status", String::new())?;
    write("sources.list", format!("deb [arch={arch} signed-by={key}] {uri} {suite} main\n"))?;
    let at = apt.display();
    write(
        "apt.conf",
        format!(
            "Dir::State \"{at}/state\";\nDir::State::status \"{at}/status\";\nDir::Cache \"{at}/cache\";\n\
             Dir::Etc::sourcelist \"{at}/sources.list\";\nDir::Etc::sourceparts \"/nonexistent\";\n\
             APT::Architecture \"{arch}\";\nAPT::Architectures {{ \"{arch}\"; }};\nAPT::Sandbox::User \"\";\n\
             Acquire::Languages \"none\";\nAcquire::IndexTargets::deb::DEP-11::DefaultEnabled \"false\";\nAcquire::Retries \"5\";\n"
        ),
    )?;
    let apt_get = |args: &[&str]| {
        let mut command = Command::new("apt-get");
        command.env("APT_CONFIG", apt.join("apt.conf")).current_dir(apt.join("debs")).args(args);
        run(&mut command)
    };
    apt_get(&["--error-on=any", "update"])?;
    let mut args = vec!["download"];
    args.extend(packages.iter().map(String::as_str));
    apt_get(&args)?;
    let root = home.join("root");
    for deb in std::fs::read_dir(apt.join("debs")).map_err(io(&apt))?.flatten() {
        run(Command::new("dpkg-deb").arg("-x").arg(deb.path()).arg(&root))?;
    }
    std::fs::remove_dir_all(&apt).map_err(io(&apt))
}

/// Unpack one package of Debian that needs nothing but the C library, and return the path of its program `inside`. The
/// command that `check` makes of this path has to succeed.
pub(crate) fn debian_program(
    name: &str,
    inside: &str,
    check: impl Fn(&Path) -> Command,
) -> Result<PathBuf, Error> {
    let home = repository().join(".tools").join(name);
    let program = home.join("root").join(inside);
    if home.join("complete").exists() {
        return Ok(program);
    }
    let missing = |what: String| Error::Missing {
        what: format!("no `{name}` for the tests: {what}"),
        hint: format!("install the package `{name}`, or set MPOTA_{}", name.to_uppercase()),
    };
    let (uri, key) = archive().ok_or_else(|| missing("this is no Debian".into()))?;
    eprintln!("installing {name} into {} ...", home.display());
    let mut why = String::new();
    for suite in SUITES {
        let got = unpack(&home, "amd64", (&uri, &key), suite, &[name.to_owned()])
            .and_then(|()| run(&mut check(&program)));
        match got {
            Ok(_) => {
                std::fs::write(home.join("complete"), suite).map_err(io(&home))?;
                return Ok(program);
            }
            Err(e) => why = e.to_string(),
        }
    }
    Err(missing(why.lines().last().unwrap_or_default().to_owned()))
}

/// Unpack packages of one architecture into a folder of `.tools/`, from the first suite whose packages pass `check`.
/// Gives the folder that they are unpacked in, and the loader of their own C library: the system's may be older.
pub(crate) fn debian_programs(
    name: &str,
    arch: &str,
    packages: &[String],
    check: impl Fn(&Path, &Path) -> Result<(), Error>,
) -> Result<(PathBuf, PathBuf), Error> {
    let home = repository().join(".tools").join(name);
    let root = home.join("root");
    let wanted = packages.join(" ");
    if let Ok(text) = std::fs::read_to_string(home.join("complete"))
        && let Some((loader, packages)) = text.split_once('\n')
        && packages == wanted
    {
        return Ok((root.clone(), root.join(loader)));
    }
    let missing = |what: &str| Error::Missing {
        what: format!("cannot install {wanted}: {what}"),
        hint: "it takes Debian or a system with Debian's packages, and the network once".into(),
    };
    let (uri, key) =
        archive().ok_or_else(|| missing("this is no Debian whose packages could be unpacked"))?;
    eprintln!("installing {wanted} into {} ...", home.display());
    let mut why = String::new();
    for suite in SUITES {
        let got = unpack(&home, arch, (&uri, &key), suite, packages).and_then(|()| {
            let loader =
                search(&root, "ld-linux-x86-64.so.2").ok_or_else(|| missing("no loader in libc6"))?;
            check(&root, &loader).map(|()| loader)
        });
        match got {
            Ok(loader) => {
                let inside = loader.strip_prefix(&root).unwrap_or(&loader).display().to_string();
                std::fs::write(home.join("complete"), format!("{inside}\n{wanted}")).map_err(io(&home))?;
                return Ok((root, loader));
            }
            Err(e) => why = e.to_string(),
        }
    }
    Err(missing(why.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or_default()))
}

fn install_from(word: Word, home: &Path, uri: &str, key: &str, suite: &str) -> Result<(), Error> {
    let arch = word.architecture();
    let mut wanted: Vec<String> = PACKAGES.iter().map(|p| format!("{p}:{arch}")).collect();
    if word == Word::Bits32 {
        wanted.push(format!("libgcc-s1:{arch}"));
    }
    unpack(home, arch, (uri, key), suite, &wanted)?;
    let root = home.join("root");
    let loader = if word == Word::Bits32 { "ld-linux.so.2" } else { "ld-linux-x86-64.so.2" };
    let loader = search(&root, loader).ok_or_else(|| missing(word, "no loader in libc6"))?;
    let library = search(&root, "libc.so.6").ok_or_else(|| missing(word, "no libc in libc6"))?;
    let program = search(&root, "micropython").ok_or_else(|| missing(word, "no program in the package"))?;
    let inside = |path: &Path| path.strip_prefix(&root).unwrap_or(path).display().to_string();
    let text =
        format!("{}\n{}\n{}\n", inside(&loader), inside(library.parent().unwrap_or(&root)), inside(&program));
    std::fs::write(home.join("complete"), text).map_err(io(home))
}

/// The first regular file of this name below a folder.
fn search(folder: &Path, name: &str) -> Option<PathBuf> {
    let mut entries: Vec<_> = std::fs::read_dir(folder).ok()?.flatten().collect();
    entries.sort_by_key(std::fs::DirEntry::file_name);
    for entry in &entries {
        let kind = entry.file_type().ok()?;
        if kind.is_file() && entry.file_name() == name {
            return Some(entry.path());
        }
    }
    entries.iter().filter(|e| e.file_type().is_ok_and(|t| t.is_dir())).find_map(|e| search(&e.path(), name))
}
