//! Keeps the beginning and the end of what streams by, where the whole of it is too much. Pure.

use std::collections::VecDeque;

/// The beginning goes on as it comes; the end is held.
pub struct Cut {
    head: u64,
    end: VecDeque<u8>,
    longest: usize,
    left_out: u64,
}

impl Cut {
    /// For so many bytes from the beginning and so many from the end.
    pub fn new(head: u64, longest: usize) -> Self {
        Self { head, end: VecDeque::new(), longest, left_out: 0 }
    }

    /// Takes what comes; returns what of it can go on.
    pub fn push<'a>(&mut self, bytes: &'a [u8]) -> &'a [u8] {
        let split = bytes.len().min(usize::try_from(self.head).unwrap_or(usize::MAX));
        let (now, later) = bytes.split_at(split);
        self.head -= now.len() as u64;
        self.end.extend(later);
        let excess = self.end.len().saturating_sub(self.longest);
        self.end.drain(..excess);
        self.left_out += excess as u64;
        now
    }

    /// The end, after a line that says what is missing before it; and how much that is.
    pub fn finish(mut self) -> (Vec<u8>, u64) {
        let mut rest = if self.left_out == 0 {
            Vec::new()
        } else {
            format!("\n[... {} bytes are left out here ...]\n", self.left_out).into_bytes()
        };
        rest.extend_from_slice(self.end.make_contiguous());
        (rest, self.left_out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(text: &str, size: usize) -> (String, u64) {
        let mut cut = Cut::new(4, 3);
        let mut kept: Vec<u8> = text.as_bytes().chunks(size).flat_map(|c| cut.push(c).to_vec()).collect();
        let (rest, left_out) = cut.finish();
        kept.extend(rest);
        (String::from_utf8(kept).unwrap(), left_out)
    }

    #[test]
    fn what_fits_is_whole_and_of_the_rest_the_middle_is_missing() {
        for size in 1..12 {
            assert_eq!(cut("abcdefg", size), ("abcdefg".into(), 0));
            assert_eq!(
                cut("abcd01234xyz", size),
                ("abcd\n[... 5 bytes are left out here ...]\nxyz".into(), 5)
            );
        }
    }

    #[test]
    fn no_more_than_the_end_is_held() {
        let mut cut = Cut::new(0, 10);
        for _ in 0..1000 {
            assert!(cut.push(&[b'x'; 1000]).is_empty());
            assert!(cut.end.len() <= 10);
        }
        assert_eq!(cut.finish().1, 999_990);
    }
}
