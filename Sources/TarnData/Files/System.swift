import Foundation

/// The system's words for an `errno` value.
package func systemMessage(_ code: Int32) -> String {
  String(cString: strerror(code))
}

/// a · b, or nil where that is negative or does not fit an `Int`.
package func checkedProduct(_ a: Int, _ b: Int) -> Int? {
  let (product, overflow) = a.multipliedReportingOverflow(by: b)
  return overflow || product < 0 ? nil : product
}

/// a + b, or nil where that is negative or does not fit an `Int`.
package func checkedSum(_ a: Int, _ b: Int) -> Int? {
  let (sum, overflow) = a.addingReportingOverflow(b)
  return overflow || sum < 0 ? nil : sum
}

/// The bytes a tensor of this shape takes, or nil where an axis is negative or the product does not
/// fit.
package func checkedByteCount(_ shape: [Int], elementSize: Int) -> Int? {
  // Axes of length 0 must not hide an overflow: `[0, 2^62, 8]` is as absurd as without the 0.
  var nonEmpty = elementSize
  for length in shape {
    guard length >= 0, let next = checkedProduct(nonEmpty, max(length, 1)) else { return nil }
    nonEmpty = next
  }
  return shape.contains(0) ? 0 : nonEmpty
}

/// The `write` system call: how many bytes went out, or -1 with `errno`. A free function, so that
/// types with a `write` of their own can call it.
func writeSome(_ descriptor: Int32, _ base: UnsafeRawPointer, _ count: Int) -> Int {
  write(descriptor, base, count)
}

/// Opens a file to read: its descriptor, or -1 with `errno`.
func openToRead(_ path: String) -> Int32 {
  open(path, O_RDONLY | O_CLOEXEC)
}
