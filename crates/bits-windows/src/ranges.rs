//! Parts of files, on both sides of COM.

use bits_api::{FileRange, Hresult};
use windows::Win32::Networking::BackgroundIntelligentTransferService::BG_FILE_RANGE;

use crate::call::List;
use crate::memory::ArrayOut;

/// Parts of a file on their way to COM.
pub(crate) struct Ranges {
    ranges: Vec<BG_FILE_RANGE>,
    count: u32,
}

impl Ranges {
    /// # Errors
    /// `E_INVALIDARG` for more of them than COM can count.
    pub(crate) fn new(ranges: &[FileRange]) -> Result<Self, Hresult> {
        let count = u32::try_from(ranges.len()).map_err(|_| Hresult::E_INVALIDARG)?;
        let windows = |range: &FileRange| BG_FILE_RANGE { InitialOffset: range.initial_offset, Length: range.length };
        Ok(Self { ranges: ranges.iter().map(windows).collect(), count })
    }
}

// SAFETY: the count is that of the very vector, which nobody changes.
unsafe impl List for &Ranges {
    type Element = BG_FILE_RANGE;

    fn count(&self) -> u32 {
        self.count
    }

    fn first(&self) -> *const BG_FILE_RANGE {
        self.ranges.as_ptr()
    }
}

/// Windows' ranges as ours.
pub(crate) fn ours(ranges: &[BG_FILE_RANGE]) -> Vec<FileRange> {
    ranges.iter().map(|range| FileRange { initial_offset: range.InitialOffset, length: range.Length }).collect()
}

/// The ranges that a call has handed out.
///
/// # Safety
/// If the call has handed out an array, it has at least `count` elements.
pub(crate) unsafe fn handed_out(array: &ArrayOut<BG_FILE_RANGE>, count: u32) -> Vec<FileRange> {
    // SAFETY: the caller's word.
    ours(&unsafe { array.elements(count as usize) }.unwrap_or_default())
}
