import Tarn

/// The letters of some words as numbers: 0 fills up and ends, 1 begins, letters count from 2.
public struct Alphabet: Sendable {
  public static let end = 0, start = 1
  private let letters: [Character]

  public init(of words: [String]) { letters = Set(words.joined()).sorted() }

  /// How many numbers there are.
  public var count: Int { letters.count + 2 }

  /// [words, length], filled up with ``end``; what is longer is cut.
  public func tensor(_ words: [String], length: Int) -> Tensor {
    let numbers = words.flatMap { word in
      let known = word.prefix(length).map { Int64((letters.firstIndex(of: $0) ?? -1) + 2) }
      return known + [Int64](repeating: 0, count: length - known.count)
    }
    return Tensor(numbers, shape: [words.count, length])
  }

  /// The word that some numbers spell, up to the end.
  public func word(_ numbers: some Sequence<Int>) -> String {
    String(
      numbers.prefix { $0 != Self.end }.compactMap {
        letters.indices.contains($0 - 2) ? letters[$0 - 2] : nil
      })
  }
}

extension Tensor {
  /// Rows of numbers [n, length] behind a start: what a network is given that is to say them, [n, length].
  public var shifted: Tensor {
    let start = Tensor.full([shape[0], 1], Alphabet.start, dtype: .int64)
    return .concatenated([start, self[.all, ..<(shape[1] - 1)]], axis: 1)
  }

  /// How many numbers of each row [n, length] stand before the filling.
  public var rowLengths: Tensor { (self .> 0).cast(to: .int64).sum(axis: 1) }

  /// The rows of numbers.
  public var rows: [[Int]] {
    let all = array(of: Int.self)
    return (0..<shape[0]).map { Array(all[$0 * shape[1]..<($0 + 1) * shape[1]]) }
  }
}
