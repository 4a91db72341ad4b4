import TarnCore
import TarnData

/// Pieces of a text and what comes next in each.
public struct TextBatch: Sendable {
  /// Symbols [steps, batch].
  public var symbols: Tensor
  /// The symbol after each of them, [steps · batch].
  public var next: Tensor

  public init(symbols: Tensor, next: Tensor) { (self.symbols, self.next) = (symbols, next) }

  /// Symbols to predict.
  public var count: Int { next.count }
}

/// A text cut into streams that are read side by side, and each stream into pieces: char-rnn's layout.
///
/// The text is cut to `batches` · `batch` · `steps` symbols. Stream b is its b-th part; batch t holds the t-th piece of `steps`
/// symbols of each stream, so that a recurrent state goes from batch to batch. The first pieces of all streams are
/// trained on, the next validated with, the last tested on.
public struct StreamLayout: Codable, Hashable, Sendable {
  /// Streams, and symbols in a piece.
  public let batch: Int, steps: Int
  /// Batches in all, and those of each part.
  public let batches: Int
  public let train: Int, validation: Int, test: Int

  /// - Parameters:
  ///   - count: symbols in the text.
  ///   - share: of the batches, to validate with, all that is not trained on where nothing is tested on.
  ///   - test: share of the batches at the end that are left out.
  /// - Throws: `DataError` naming `name` if the text is shorter than a batch.
  public init(
    count: Int, batch: Int, steps: Int, validation share: Double = 0.05, test: Double = 0,
    name: String = "text"
  ) throws {
    (self.batch, self.steps) = (max(1, batch), max(1, steps))
    guard let perBatch = checkedProduct(self.batch, self.steps), count >= perBatch else {
      let fitting = max(1, count / self.steps)
      throw DataError(
        .invalid, file: name,
        reason: "is shorter than one batch: it has \(count) symbols, "
          + "a batch takes \(batch) × \(steps)",
        hint: count >= self.steps
          ? "--batch \(fitting) fits, or give more text"
          : "give more text, or a smaller --seq-length and --batch")
    }
    batches = count / perBatch
    train = max(1, Int(Double(batches) * (1 - share - test) + 1e-9))
    let rest = batches - train
    validation = test == 0 ? (share > 0 ? rest : 0) : min(rest, Int(Double(batches) * share + 1e-9))
    self.test = rest - validation
  }

  /// Symbols of a stream.
  var streamLength: Int { batches * steps }
  /// Symbols that are used.
  public var count: Int { batches * steps * batch }
}

/// Pieces of streams, batch by batch.
struct StreamPieces: Source {
  let corpus: Corpus
  let streams: Int
  /// Symbols of a piece; the last of a stream may have fewer.
  let steps: Int
  let streamLength: Int
  /// The symbol before which the text ends; after it comes its first.
  let end: Int
  /// Which pieces.
  let range: Range<Int>

  var count: Int { range.count }

  func sample(at index: Int) throws -> TextBatch {
    let first = (range.lowerBound + index) * steps
    let length = min(steps, streamLength - first)
    if index % 64 == 63 { corpus.tokens.release() }
    return TextBatch(
      symbols: tensor(first, length).reshaped([length, streams]), next: tensor(first + 1, length))
  }

  /// [length · streams], step by step.
  private func tensor(_ first: Int, _ length: Int) -> Tensor {
    var numbers = [Int64](repeating: 0, count: length * streams)
    numbers.withUnsafeMutableBufferPointer { buffer in
      guard let base = buffer.baseAddress else { return }
      for stream in 0..<streams {
        let start = stream * streamLength + first
        let whole = min(length, end - start)
        corpus.tokens.read(start, whole, into: base + stream, step: streams)
        let rest = base + whole * streams + stream
        corpus.tokens.read(0, length - whole, into: rest, step: streams)
      }
    }
    return Tensor(numbers)
  }
}

/// Windows at random places of the part that is trained on, for models without a state.
struct RandomWindows: Source {
  let corpus: Corpus
  let layout: StreamLayout
  let seed: UInt64

  var count: Int { layout.train }

  func sample(at index: Int) throws -> TextBatch { try sample(at: index, epoch: 0) }

  func sample(at index: Int, epoch: Int) throws -> TextBatch {
    var generator = SeededGenerator(seed: seed)
      .forked(UInt64(bitPattern: Int64(epoch))).forked(UInt64(bitPattern: Int64(index)))
    let (steps, batch) = (layout.steps, layout.batch)
    let trained = layout.train * steps
    var symbols = [Int64](repeating: 0, count: steps * batch)
    var next = symbols
    for column in 0..<batch {
      let stream = generator.integer(below: batch)
      let start = stream * layout.streamLength + generator.integer(below: trained - steps + 1)
      symbols.withUnsafeMutableBufferPointer { buffer in
        guard let base = buffer.baseAddress else { return }
        corpus.tokens.read(start, steps, into: base + column, step: batch)
      }
      next.withUnsafeMutableBufferPointer { buffer in
        guard let base = buffer.baseAddress else { return }
        corpus.tokens.read(start + 1, steps, into: base + column, step: batch)
      }
    }
    if index % 64 == 63 { corpus.tokens.release() }
    return TextBatch(
      symbols: Tensor(symbols, shape: [steps, batch]), next: Tensor(next))
  }
}

extension Corpus {
  /// What is trained on: pieces of streams in order, or, for models without a state, windows at random places.
  ///
  /// The symbol after the last of a part is the next part's first, after that of the text its first, as char-rnn's.
  public func training(
    _ layout: StreamLayout, random seed: UInt64? = nil
  ) -> Batches<TextBatch> {
    if let seed {
      return RandomWindows(corpus: self, layout: layout, seed: seed).batched(1) { $0[0] }
    }
    return pieces(layout, 0..<layout.train)
  }

  /// What is validated with; nil if there is nothing.
  ///
  /// - Parameter most: batches to use at most, the first ones.
  public func validation(_ layout: StreamLayout, most: Int = .max) -> Batches<TextBatch>? {
    guard layout.validation > 0 else { return nil }
    return pieces(layout, layout.train..<layout.train + min(most, layout.validation))
  }

  /// What is tested on; nil if there is nothing.
  public func test(_ layout: StreamLayout) -> Batches<TextBatch>? {
    layout.test > 0 ? pieces(layout, layout.batches - layout.test..<layout.batches) : nil
  }

  private func pieces(_ layout: StreamLayout, _ range: Range<Int>) -> Batches<TextBatch> {
    let pieces = StreamPieces(
      corpus: self, streams: layout.batch, steps: layout.steps, streamLength: layout.streamLength,
      end: layout.count, range: range)
    return pieces.batched(1) { $0[0] }
  }
}
