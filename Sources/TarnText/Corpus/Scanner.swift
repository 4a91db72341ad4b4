/// Goes through bytes symbol by symbol. UTF-8 is checked strictly: no overlong forms, no surrogates, nothing beyond U+10FFFF.
enum Scanner {
  /// A scalar and how many bytes it takes; nil where the bytes at `place` are not UTF-8.
  ///
  /// Table 3-7 of the Unicode Standard.
  static func scalar(
    _ bytes: UnsafeRawBufferPointer, at place: Int
  ) -> (value: UInt32, length: Int)? {
    let first = bytes[place]
    if first < 0x80 { return (UInt32(first), 1) }
    guard first >= 0xC2, first <= 0xF4 else { return nil }
    let length = first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4
    guard place + length <= bytes.count else { return nil }
    // The second byte decides whether the form is overlong, a surrogate or too large.
    let second = bytes[place + 1]
    let (low, high): (UInt8, UInt8) =
      switch first {
      case 0xE0: (0xA0, 0xBF)
      case 0xED: (0x80, 0x9F)
      case 0xF0: (0x90, 0xBF)
      case 0xF4: (0x80, 0x8F)
      default: (0x80, 0xBF)
      }
    guard second >= low, second <= high else { return nil }
    var value = UInt32(first) & (length == 2 ? 0x1F : length == 3 ? 0x0F : 0x07)
    value = value << 6 | UInt32(second & 0x3F)
    for offset in 2..<max(2, length) {
      let next = bytes[place + offset]
      guard next & 0xC0 == 0x80 else { return nil }
      value = value << 6 | UInt32(next & 0x3F)
    }
    return (value, length)
  }

  /// Calls `body` with the place of each symbol and its first scalar (of bytes: the byte).
  ///
  /// - Returns: where the bytes are not UTF-8; nil if they are all sound.
  @inline(__always) static func forEachSymbol(
    of unit: Vocabulary.Unit, in bytes: UnsafeRawBufferPointer,
    _ body: (Range<Int>, UInt32) throws -> Void
  ) rethrows -> Int? {
    var place = 0
    while place < bytes.count {
      switch unit {
      case .bytes:
        try body(place..<place + 1, UInt32(bytes[place]))
        place += 1
      case .characters:
        guard let (value, length) = scalar(bytes, at: place) else { return place }
        try body(place..<place + length, value)
        place += length
      case .words:
        let (end, problem) = wordEnd(bytes, from: place)
        if let problem { return problem }
        try body(place..<end, UInt32(bytes[place]))
        place = end
      }
    }
    return nil
  }

  /// Where the word that begins at `start` ends, and where it is not UTF-8. No word is longer than `longest` bytes.
  private static func wordEnd(
    _ bytes: UnsafeRawBufferPointer, from start: Int
  ) -> (end: Int, problem: Int?) {
    var place = start
    if bytes[place] == UInt8(ascii: " "), place + 1 < bytes.count, bytes[place + 1] > 0x20 {
      place += 1
    }
    guard isWordByte(bytes[place]) else { return (place + 1, nil) }
    while place < bytes.count, isWordByte(bytes[place]), place - start < longest {
      guard let (_, length) = scalar(bytes, at: place) else { return (place, place) }
      place += length
    }
    return (place, nil)
  }

  private static let longest = 64

  private static func isWordByte(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "'"), UInt8(ascii: "_"), 0x80...0xFF:
      true
    default: false
    }
  }
}
