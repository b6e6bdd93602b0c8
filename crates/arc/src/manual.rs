//! `arc completions` and `arc man`: what a shell and `man` want to know, from the command line itself.

use std::path::Path;

use arc_steps::Exit;
use clap::{Command, CommandFactory as _};

use crate::cli::{Cli, Completions, Man};
use crate::report::Failure;

/// Prints completions.
pub(crate) fn completions(args: &Completions) -> Exit {
    clap_complete::generate(args.shell, &mut Cli::command(), "arc", &mut std::io::stdout());
    Exit::Done
}

/// Writes a page for each command.
pub(crate) fn pages(args: &Man) -> Result<Exit, Failure> {
    let failed = |error: std::io::Error| {
        let message = format!("failed to write manual pages to {}: {error}", args.dir.display());
        Failure::new(Exit::Failed, message)
    };
    std::fs::create_dir_all(&args.dir).map_err(failed)?;
    let mut arc = Cli::command();
    arc.build();
    write(&arc, "arc", &args.dir).map_err(failed)?;
    Ok(Exit::Done)
}

fn write(command: &Command, name: &str, dir: &Path) -> std::io::Result<()> {
    let page = clap_mangen::Man::new(command.clone()).title(name.to_uppercase());
    let mut text = Vec::new();
    page.render(&mut text)?;
    std::fs::write(dir.join(format!("{name}.1")), text)?;
    let shown = command.get_subcommands().filter(|one| !one.is_hide_set());
    for one in shown.filter(|one| one.get_name() != "help") {
        write(one, &format!("{name}-{}", one.get_name()), dir)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::*;

    /// The commands below `command`, with their words.
    fn all(command: &Command, words: &[&str]) -> Vec<(String, Command)> {
        let mut found = vec![(words.join(" "), command.clone())];
        for one in command.get_subcommands().filter(|one| one.get_name() != "help") {
            found.extend(all(one, &[words, &[one.get_name()]].concat()));
        }
        found
    }

    fn help(command: &Command) -> String {
        command.clone().render_long_help().to_string()
    }

    #[test]
    fn every_example_can_be_typed() {
        let mut count = 0;
        for (name, command) in all(&Cli::command(), &["arc"]) {
            let text = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            for line in text.lines().map(str::trim).filter(|line| line.starts_with("arc ")) {
                let typed = line.split(" > ").next().unwrap_or(line);
                let typed = typed.split(" | ").next().unwrap_or(typed);
                let typed = typed.split(" && ").next().unwrap_or(typed);
                let words = shlex::split(typed).expect("an example can be split as a shell does");
                let parsed = <Cli as clap::Parser>::try_parse_from(words);
                assert!(parsed.is_ok(), "{name}: {line}\n{}", parsed.unwrap_err());
                count += 1;
            }
        }
        assert!(count > 15, "only {count} examples were found");
    }

    #[test]
    fn every_command_and_option_says_what_it_does() {
        for (name, command) in all(&Cli::command(), &["arc"]) {
            assert!(command.get_about().is_some(), "{name} has no sentence");
            for argument in command.get_arguments() {
                assert!(argument.get_help().is_some(), "{name}: {} has no help", argument.get_id());
            }
        }
    }

    #[test]
    fn pages_and_completions_are_written_for_every_command() {
        let folder = tempfile::tempdir().unwrap();
        let args = Man { dir: folder.path().to_owned() };
        assert!(pages(&args).is_ok());
        for page in ["arc.1", "arc-verify.1", "arc-order.1", "arc-order-watch.1"] {
            assert!(folder.path().join(page).exists(), "{page}");
        }
        assert!(!folder.path().join("arc-step.1").exists(), "a hidden command has no page");
        let mut text = Vec::new();
        let args = Completions { shell: clap_complete::Shell::Bash };
        clap_complete::generate(args.shell, &mut Cli::command(), "arc", &mut text);
        assert!(String::from_utf8(text).unwrap().contains("referrers"));
    }

    /// `docs/reference/cli.md` is made of this; `UPDATE_GOLDEN=1` writes it anew.
    #[test]
    fn the_reference_is_the_command_line() {
        let mut page = String::from(
            "# Command line\n\nWhat `--help` says, for every command. This page is generated.\n",
        );
        let mut arc = Cli::command().term_width(100);
        arc.build();
        for (name, command) in all(&arc, &["arc"]).into_iter().filter(|(_, one)| !one.is_hide_set())
        {
            let text = help(&command);
            let lines: Vec<_> = text.lines().map(str::trim_end).collect();
            let text = lines.join("\n");
            write!(page, "\n## {name}\n\n```text\n{}\n```\n", text.trim_end()).unwrap();
        }
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference/cli.md");
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, &page).unwrap();
        }
        let written = std::fs::read_to_string(&path).unwrap_or_default();
        assert_eq!(
            written, page,
            "docs/reference/cli.md is old: UPDATE_GOLDEN=1 cargo nextest run -p arc manual"
        );
    }
}
