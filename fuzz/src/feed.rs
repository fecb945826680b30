//! The fuzzer's input, read as numbers and byte strings.

/// The rest of the input, taken from the front; zeros when it is used up.
pub(crate) struct Feed<'a>(&'a [u8]);

impl<'a> Feed<'a> {
    pub(crate) fn new(data: &'a [u8]) -> Feed<'a> {
        Feed(data)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn byte(&mut self) -> u8 {
        self.array::<1>()[0]
    }

    /// Returns a number below `end`.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        usize::from(self.byte()) % end.max(1)
    }

    pub(crate) fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }

    pub(crate) fn array<const N: usize>(&mut self) -> [u8; N] {
        let mut array = [0; N];
        let (taken, rest) = self.0.split_at(N.min(self.0.len()));
        array[..taken.len()].copy_from_slice(taken);
        self.0 = rest;
        array
    }

    /// Takes as many bytes as the next byte says.
    pub(crate) fn run(&mut self) -> &'a [u8] {
        let count = usize::from(self.byte());
        let (taken, rest) = self.0.split_at(count.min(self.0.len()));
        self.0 = rest;
        taken
    }

    /// Returns a number: small ones, the ends of the range and any.
    pub(crate) fn number(&mut self) -> u64 {
        match self.byte() {
            0xFF => u64::from_le_bytes(self.array()),
            0xFE => i32::MAX as u64 + u64::from(self.byte()),
            0xFD => u64::MAX - u64::from(self.byte()),
            0xFC => 1 << (self.byte() % 64),
            small => small.into(),
        }
    }
}
