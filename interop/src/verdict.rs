//! Whose fault a failure is: a pure function of how control cells end.
//!
//! A control cell is the failed one with one or both programs replaced: by the other, or by libzmq, which is where all
//! ZMTP implementations look when in doubt. Each is run only when the ones before it leave the question open, and none when the
//! harness saw one side break a rule: see [`Failure::Caught`](crate::Failure::Caught).

/// A control cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Control {
    /// Zeroxide on both sides.
    OursAlone,
    /// Zeroxide where it was, libzmq in the peer's place.
    OursWithLibzmq,
    /// The peer on both sides.
    TheirsAlone,
    /// The peer where it was, libzmq in Zeroxide's place.
    TheirsWithLibzmq,
    /// libzmq on both sides.
    LibzmqAlone,
}

/// How a control cell ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// Well.
    Passed,
    /// Badly.
    Failed,
    /// It says nothing: there is no such program here, or it lacks what the cell needs.
    Silent,
}

/// Whose fault it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Blame {
    /// Zeroxide fails without the peer, and the peer does well without Zeroxide.
    Ours,
    /// The other way round.
    Theirs,
    /// Neither, or both; or the peer does well with libzmq and not with Zeroxide, which alone does well.
    Undecided,
}

/// The control cells that have been run, and how they ended.
#[derive(Clone, Debug, Default)]
pub struct Evidence(Vec<(Control, Ending)>);

/// What comes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// This control cell must be run.
    Run(Control),
    /// There is no more to ask.
    Found(Blame),
}

impl Evidence {
    /// Notes how a control cell ended.
    pub fn note(&mut self, control: Control, ending: Ending) {
        self.0.push((control, ending));
    }

    /// How a control cell ended, if it was run.
    #[must_use]
    pub fn ending(&self, control: Control) -> Option<Ending> {
        self.0.iter().find(|(run, _)| *run == control).map(|(_, ending)| *ending)
    }

    /// What is to be run, or what has been found.
    #[must_use]
    pub fn next(&self) -> Step {
        match (self.ours_fails(), self.theirs_fails()) {
            (Err(control), _) | (_, Err(control)) => Step::Run(control),
            (Ok(true), Ok(false)) => Step::Found(Blame::Ours),
            (Ok(false), Ok(true)) => Step::Found(Blame::Theirs),
            _ => Step::Found(Blame::Undecided),
        }
    }

    /// Whether Zeroxide fails alone, or with libzmq, while libzmq alone does not; or the control that would tell.
    fn ours_fails(&self) -> Result<bool, Control> {
        if self.known(Control::OursAlone)? == Ending::Failed {
            return Ok(true);
        }
        Ok(self.known(Control::OursWithLibzmq)? == Ending::Failed
            && self.known(Control::LibzmqAlone)? == Ending::Passed)
    }

    /// Whether the peer fails with libzmq in Zeroxide's place, while libzmq alone does not. A peer that does well there
    /// has met something that Zeroxide does and libzmq does not: that it fails with itself excuses nobody, and counts
    /// only where libzmq cannot be asked.
    fn theirs_fails(&self) -> Result<bool, Control> {
        match self.known(Control::TheirsWithLibzmq)? {
            Ending::Passed => Ok(false),
            Ending::Failed if self.known(Control::LibzmqAlone)? == Ending::Passed => Ok(true),
            Ending::Failed | Ending::Silent => Ok(self.known(Control::TheirsAlone)? == Ending::Failed),
        }
    }

    fn known(&self, control: Control) -> Result<Ending, Control> {
        self.ending(control).ok_or(control)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Control::{LibzmqAlone, OursAlone, OursWithLibzmq, TheirsAlone, TheirsWithLibzmq};
    use Ending::{Failed, Passed, Silent};

    /// Runs controls that end as listed, all others well, until the verdict; with the number of runs.
    fn verdict(endings: &[(Control, Ending)]) -> (Blame, usize) {
        let mut evidence = Evidence::default();
        loop {
            match evidence.next() {
                Step::Found(blame) => return (blame, evidence.0.len()),
                Step::Run(control) => {
                    assert_eq!(evidence.ending(control), None, "{control:?} twice");
                    let ending = endings.iter().find(|(listed, _)| *listed == control);
                    evidence.note(control, ending.map_or(Passed, |(_, ending)| *ending));
                }
            }
        }
    }

    #[test]
    fn who_fails_alone_is_at_fault() {
        assert_eq!(verdict(&[(OursAlone, Failed)]).0, Blame::Ours);
        assert_eq!(verdict(&[(TheirsAlone, Failed), (TheirsWithLibzmq, Silent)]).0, Blame::Theirs);
    }

    #[test]
    fn a_peer_that_does_well_with_libzmq_is_not_at_fault_although_it_fails_alone() {
        assert_eq!(verdict(&[(TheirsAlone, Failed)]).0, Blame::Undecided);
        assert_eq!(verdict(&[(OursWithLibzmq, Failed), (TheirsAlone, Failed)]).0, Blame::Ours);
    }

    #[test]
    fn who_fails_with_libzmq_is_at_fault() {
        assert_eq!(verdict(&[(OursWithLibzmq, Failed)]).0, Blame::Ours);
        assert_eq!(verdict(&[(TheirsWithLibzmq, Failed)]).0, Blame::Theirs);
    }

    #[test]
    fn a_fault_of_libzmq_itself_proves_nothing_against_others() {
        let itself = (LibzmqAlone, Failed);
        let with_it = [(OursWithLibzmq, Failed), (TheirsWithLibzmq, Failed)];
        assert_eq!(verdict(&[with_it[0], itself]).0, Blame::Undecided);
        assert_eq!(verdict(&[with_it[1], itself]).0, Blame::Undecided);
        assert_eq!(verdict(&[with_it[0], with_it[1], (TheirsAlone, Failed), itself]).0, Blame::Theirs);
    }

    #[test]
    fn when_both_fail_or_neither_does_it_is_undecided() {
        assert_eq!(verdict(&[]).0, Blame::Undecided);
        assert_eq!(verdict(&[(OursAlone, Failed), (TheirsWithLibzmq, Failed)]).0, Blame::Undecided);
        assert_eq!(verdict(&[(OursWithLibzmq, Failed), (TheirsWithLibzmq, Failed)]).0, Blame::Undecided);
    }

    #[test]
    fn a_control_that_cannot_run_accuses_nobody() {
        let all = [OursAlone, OursWithLibzmq, TheirsAlone, TheirsWithLibzmq, LibzmqAlone];
        assert_eq!(verdict(&all.map(|control| (control, Silent))).0, Blame::Undecided);
        assert_eq!(verdict(&[(OursWithLibzmq, Failed), (LibzmqAlone, Silent)]).0, Blame::Undecided);
    }

    /// For every way that the controls may end: no blame without a failure of the one blamed and of nobody else.
    #[test]
    fn nobody_is_blamed_who_did_well_in_every_control() {
        const ALL: [Control; 5] = [OursAlone, OursWithLibzmq, TheirsAlone, TheirsWithLibzmq, LibzmqAlone];
        for n in 0..3_usize.pow(5) {
            let ending = |place: u32| [Passed, Failed, Silent][n / 3_usize.pow(place) % 3];
            let endings: Vec<_> =
                ALL.iter().zip(0..).map(|(control, place)| (*control, ending(place))).collect();
            let failed = |control| endings.contains(&(control, Failed));
            let (ours, theirs) = (
                failed(OursAlone) || failed(OursWithLibzmq),
                (failed(TheirsAlone) || failed(TheirsWithLibzmq))
                    && !endings.contains(&(TheirsWithLibzmq, Passed)),
            );
            match verdict(&endings).0 {
                Blame::Ours => assert!(ours, "{endings:?}"),
                Blame::Theirs => assert!(theirs, "{endings:?}"),
                Blame::Undecided => {}
            }
        }
    }

    #[test]
    fn no_control_is_run_that_cannot_change_the_verdict() {
        assert_eq!(verdict(&[(TheirsWithLibzmq, Failed)]).1, 4);
        assert_eq!(verdict(&[(OursAlone, Failed)]).1, 2);
        assert_eq!(verdict(&[]).1, 3);
    }
}
