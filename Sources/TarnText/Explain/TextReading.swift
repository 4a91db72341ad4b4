import Foundation
import TarnCore

/// What went on in a model while it read a text.
public struct TextReading: Sendable {
  /// What the model thought would come next.
  public struct Guess: Codable, Hashable, Sendable {
    public var symbol: Int
    public var probability: Double
  }

  /// The symbols read.
  public let symbols: [Int]
  /// Recurrent layers, and cells in each; 0 for models that have none.
  public let layers: Int
  public let size: Int
  /// How excited each cell is after each symbol, from −1 to 1, [symbols, layers · size]: tanh(c) of an LSTM, else h.
  public let cells: [Float]
  /// How surprising each symbol was after those before, in nats; 0 for the first.
  public let losses: [Double]
  /// The likeliest next symbols after each symbol.
  public let guesses: [[Guess]]

  /// Reads `symbols` from the start.
  ///
  /// - Parameter count: how many of the likeliest next symbols to keep.
  public init(_ model: some LanguageModel, _ symbols: [Int], guesses count: Int = 5) {
    self.symbols = symbols
    let stepper = model.stepper()
    let recurrent = stepper as? RecurrentStepper
    layers = recurrent == nil ? 0 : model.card.layers
    size = recurrent == nil ? 0 : model.card.size
    var cells: [Float] = []
    cells.reserveCapacity(symbols.count * layers * size)
    var losses = symbols.isEmpty ? [] : [0.0]
    var guesses: [[Guess]] = []
    for (index, symbol) in symbols.enumerated() {
      let logits = stepper.logits(after: symbol)
      let logSum = Self.logSum(logits)
      if index + 1 < symbols.count, logits.indices.contains(symbols[index + 1]) {
        losses.append(logSum - Double(logits[symbols[index + 1]]))
      }
      guesses.append(
        Self.largest(logits, count).map {
          Guess(symbol: $0, probability: exp(Double(logits[$0]) - logSum))
        })
      guard let state = recurrent?.state else { continue }
      let values = (state.last ?? state[0]).array(of: Float.self)
      cells += state.count == 2 ? values.map { tanh($0) } : values
    }
    (self.cells, self.losses, self.guesses) = (cells, losses, guesses)
  }

  /// Number of cells of all layers.
  public var cellCount: Int { layers * size }

  /// The mean of the losses, the first symbol left out.
  public var meanLoss: Double {
    losses.count > 1 ? losses.dropFirst().reduce(0, +) / Double(losses.count - 1) : .nan
  }

  /// How excited one cell is after each symbol.
  public func activity(of cell: Int) -> [Float] {
    guard (0..<cellCount).contains(cell) else { return [] }
    return stride(from: cell, to: cells.count, by: cellCount).map { cells[$0] }
  }

  private static func logSum(_ logits: [Float]) -> Double {
    let largest = Double(logits.max() ?? 0)
    return largest + log(logits.reduce(0.0) { $0 + exp(Double($1) - largest) })
  }

  /// The places of the largest numbers, largest first.
  private static func largest(_ logits: [Float], _ count: Int) -> [Int] {
    var best: [Int] = []
    for (place, value) in logits.enumerated() {
      let rank = best.firstIndex { logits[$0] < value } ?? best.count
      guard rank < count else { continue }
      best.insert(place, at: rank)
      if best.count > count { best.removeLast() }
    }
    return best
  }
}
