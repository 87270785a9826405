//! What shells and man know of the command line.

use std::{fs, io::Write};

use clap::CommandFactory as _;
use clap_complete::aot::{Shell as Completed, generate};

use crate::{
    args::{Args, Completion, Man, Shell},
    error::Error,
    model::verdict::Exit,
};

/// The name of the program, by which shells know it.
const PROGRAM: &str = "kubectl-copr";

pub fn completion(args: &Completion, out: &mut dyn Write) -> Result<Exit, Error> {
    let shell = match args.shell {
        Shell::Bash => Completed::Bash,
        Shell::Zsh => Completed::Zsh,
        Shell::Fish => Completed::Fish,
    };
    let mut text = Vec::new();
    generate(shell, &mut Args::command(), PROGRAM, &mut text);
    out.write_all(&text)?;
    Ok(Exit::Fine)
}

/// A page for the program, and one for each of its commands.
pub fn man(args: &Man) -> Result<Exit, Error> {
    fs::create_dir_all(&args.dir).map_err(Error::file("make the folder", &args.dir))?;
    let command = Args::command().bin_name(PROGRAM).disable_help_subcommand(true);
    clap_mangen::generate_to(command, &args.dir).map_err(Error::file("write man pages into", &args.dir))?;
    Ok(Exit::Fine)
}

/// What `kubectl copr …` is completed by: kubectl calls a program `kubectl_complete-copr` with the words so far, the last of them
/// to be completed, and reads candidates, a line each, and then what else the shell may do (4: complete no files).
pub fn complete(words: &[String]) -> String {
    let command = Args::command();
    let (begun, before) = words.split_last().map_or(("", words), |(last, rest)| (last.as_str(), rest));
    let subcommand = before.iter().find_map(|word| command.find_subcommand(word));
    let options = subcommand.unwrap_or(&command).get_arguments().chain(command.get_arguments());
    let options = options.filter_map(|arg| arg.get_long()).map(|long| format!("--{long}"));
    let mut candidates: Vec<_> = if begun.starts_with('-') {
        options.collect()
    } else if subcommand.is_none() {
        command.get_subcommands().filter(|c| !c.is_hide_set()).map(|c| c.get_name().to_owned()).collect()
    } else {
        Vec::new()
    };
    candidates.sort();
    candidates.dedup();
    let lines = candidates.into_iter().filter(|word| word.starts_with(begun)).map(|word| word + "\n");
    lines.chain([":4\n".to_owned()]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::testing::Folder;

    #[test]
    fn every_shell_completes_every_command() {
        for shell in [Shell::Bash, Shell::Zsh, Shell::Fish] {
            let mut out = Vec::new();
            completion(&Completion { shell }, &mut out).unwrap();
            let text = String::from_utf8(out).unwrap();
            for command in Args::command().get_subcommands().filter(|c| !c.is_hide_set()) {
                assert!(text.contains(command.get_name()), "{shell:?} {}", command.get_name());
            }
        }
    }

    #[test]
    fn kubectl_is_told_what_a_word_may_become() {
        let complete = |words: &[&str]| complete(&words.iter().map(|&w| w.to_owned()).collect::<Vec<_>>());
        assert_eq!(complete(&["re"]), "rerun\nresults\n:4\n");
        assert_eq!(complete(&["rerun", "--f"]), "--failed\n:4\n");
        assert_eq!(complete(&["--names"]), "--namespace\n:4\n");
        assert_eq!(complete(&["watch", ""]), ":4\n");
        assert!(complete(&[]).contains("preflight\n") && !complete(&[]).contains("man\n"));
    }

    #[test]
    fn there_is_a_page_for_each_command() {
        let folder = Folder::new();
        man(&Man { dir: folder.path().join("man1") }).unwrap();
        let page = |name: &str| fs::read_to_string(folder.path().join("man1").join(name)).unwrap();
        assert!(page("kubectl-copr.1").contains("Exit codes"));
        assert!(page("kubectl-copr-compare.1").contains("What got red"));
        assert!(!folder.path().join("man1/kubectl-copr-man.1").exists());
    }
}
