//! A process and all that it has started, ended together.
//!
//! `cargo test` that is killed leaves the test that hangs behind, which holds ports, files and the output's pipe. A
//! process group of its own would take Ctrl-C from the user, so the tree is read where Linux shows it, in /proc; on
//! other systems the process alone is ended.

use std::collections::BTreeMap;
use std::process::{Child, Command, Stdio};

/// Ends `child` and its descendants, and waits for `child`.
pub(crate) fn end(child: &mut Child) {
    let tree = below(child.id(), &parents());
    // The parent first, so that it starts nothing in the place of what ends.
    let _ = child.kill();
    let _ = child.wait();
    if !tree.is_empty() {
        let ids: Vec<String> = tree.iter().map(u32::to_string).collect();
        let script = format!("kill -KILL {}", ids.join(" "));
        let _ = Command::new("sh").args(["-c", &script]).stderr(Stdio::null()).status();
    }
}

/// The descendants of `ancestor`, itself not among them.
fn below(ancestor: u32, parents: &BTreeMap<u32, u32>) -> Vec<u32> {
    let mut found = vec![ancestor];
    let mut next = 0;
    while let Some(parent) = found.get(next).copied() {
        // A number cannot be met twice: each process has one parent, and none is its own ancestor.
        let children = parents.iter().filter(|&(child, of)| *of == parent && *child != parent);
        found.extend(children.map(|(child, _)| *child));
        next += 1;
    }
    found.split_off(1)
}

/// Each process and its parent.
fn parents() -> BTreeMap<u32, u32> {
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let ids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    ids.filter_map(|id| Some((id, parent(&std::fs::read_to_string(format!("/proc/{id}/stat")).ok()?)?)))
        .collect()
}

/// The fourth field of proc(5)'s `stat`; the second is a name in brackets that may hold anything.
fn parent(stat: &str) -> Option<u32> {
    stat.rsplit_once(") ")?.1.split(' ').nth(1)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parent_is_read_behind_any_name() {
        assert_eq!(parent("12 (a) b (c) S 7 12 12 0"), Some(7));
        assert_eq!(parent("12 (cut"), None);
    }

    #[test]
    fn descendants_are_those_of_any_depth() {
        let parents = BTreeMap::from([(2, 1), (3, 2), (4, 3), (5, 1), (6, 4)]);
        assert_eq!(below(2, &parents), [3, 4, 6]);
        assert_eq!(below(6, &parents), Vec::<u32>::new());
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_grandchild_is_ended_too() {
        use std::io::{BufRead, BufReader, Read};
        let mut shell = Command::new("sh");
        shell.args(["-c", "tail -f /dev/null & echo up; wait"]).stdout(Stdio::piped());
        let mut child = shell.spawn().unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        output.read_line(&mut line).unwrap();
        assert_eq!(line, "up\n");
        end(&mut child);
        // The grandchild has the pipe's other end: it closes when that is gone, and not before.
        assert_eq!(output.read_to_end(&mut Vec::new()).unwrap(), 0);
    }
}
