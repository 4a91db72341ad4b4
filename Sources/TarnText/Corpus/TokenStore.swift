import TarnData

/// The numbers of a text's symbols, read where they are wanted: from the text itself where each symbol is a byte, else from a
/// file with as few bytes a number as the vocabulary allows.
struct TokenStore: Sendable {
  private enum Form: Sendable {
    /// By byte.
    case bytes([Int64])
    /// Little-endian numbers of this many bytes.
    case numbers(width: Int)
  }

  private let file: FileBytes
  private let start: Int
  private let form: Form
  let count: Int

  /// The text itself. `numbers` has one for each byte.
  init(bytes file: FileBytes, from start: Int, numbers: [Int64]) {
    (self.file, self.start, form) = (file, start, .bytes(numbers))
    count = file.count - start
  }

  /// Numbers below `limit`, which `body` hands over one by one.
  init(limit: Int, name: String, _ body: ((Int) throws -> Void) throws -> Void) throws {
    let width = limit <= 1 << 8 ? 1 : limit <= 1 << 16 ? 2 : 4
    file = try TemporaryFile.mapped(name: name) { sink in
      var pending: [UInt8] = []
      pending.reserveCapacity(1 << 16)
      try body { number in
        for byte in 0..<width { pending.append(UInt8(truncatingIfNeeded: number >> (8 * byte))) }
        guard pending.count >= 1 << 16 - 4 else { return }
        try sink.write(pending)
        pending.removeAll(keepingCapacity: true)
      }
      try sink.write(pending)
    }
    (start, form, count) = (0, .numbers(width: width), file.count / width)
  }

  /// Writes `length` numbers from `first` on to `target`, `step` apart. Beyond the end it goes on from the start.
  func read(
    _ first: Int, _ length: Int, into target: UnsafeMutablePointer<Int64>, step: Int = 1
  ) {
    file.withBytes { bytes in
      for index in 0..<length {
        let place = (first + index) % count
        switch form {
        case .bytes(let numbers): target[index * step] = numbers[Int(bytes[start + place])]
        case .numbers(let width):
          var number: Int64 = 0
          for byte in 0..<width {
            number |= Int64(bytes[place * width + byte]) << (8 * Int64(byte))
          }
          target[index * step] = number
        }
      }
    }
  }

  /// Numbers of a range.
  subscript(range: Range<Int>) -> [Int] {
    var numbers = [Int64](repeating: 0, count: range.count)
    numbers.withUnsafeMutableBufferPointer { buffer in
      if let base = buffer.baseAddress { read(range.lowerBound, range.count, into: base) }
    }
    return numbers.map(Int.init)
  }

  /// Lets go of all pages read so far.
  func release() { file.release(0..<file.count) }
}
