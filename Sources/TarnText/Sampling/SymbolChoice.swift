import Foundation
import TarnData

/// How the next symbol is chosen from what a model expects.
public struct SymbolChoice: Codable, Hashable, Sendable {
  /// T: probabilities are softmax(logits / T). Below 1 safer, above 1 wilder; 0 is the same as ``isGreedy``.
  public var temperature: Double
  /// Whether the likeliest is always taken.
  public var isGreedy: Bool
  /// Only the k likeliest may be chosen.
  public var topK: Int?
  /// Only the likeliest whose probabilities add up to p may be chosen (Holtzman et al., 2019).
  public var topP: Double?

  public init(
    temperature: Double = 1, isGreedy: Bool = false, topK: Int? = nil, topP: Double? = nil
  ) {
    (self.temperature, self.isGreedy) = (temperature, isGreedy)
    (self.topK, self.topP) = (topK, topP)
  }

  /// The number of a symbol, drawn with one random number.
  ///
  /// - Parameter excluded: a symbol that is never chosen.
  public func symbol(
    _ logits: [Float], excluding excluded: Int? = nil, with generator: inout SeededGenerator
  ) -> Int {
    let draw = generator.uniform()
    var best = -1
    for (number, value) in logits.enumerated() where number != excluded {
      if best < 0 || value > logits[best] { best = number }
    }
    guard best >= 0, !isGreedy, temperature > 0 else { return max(0, best) }
    let largest = Double(logits[best])
    var weights = logits.map { exp((Double($0) - largest) / temperature) }
    if let excluded, weights.indices.contains(excluded) { weights[excluded] = 0 }
    limit(&weights)
    let total = weights.reduce(0, +)
    var rest = draw * total
    for (number, weight) in weights.enumerated() where weight > 0 {
      rest -= weight
      if rest < 0 { return number }
    }
    return best
  }

  /// Makes the weights of what may not be chosen 0.
  private func limit(_ weights: inout [Double]) {
    guard topK != nil || topP != nil else { return }
    let order = weights.indices.sorted { (weights[$1], $0) < (weights[$0], $1) }
    var kept = order.count
    if let topK { kept = min(kept, max(1, topK)) }
    if let topP {
      let goal = topP * order.prefix(kept).reduce(0) { $0 + weights[$1] }
      var (sum, count) = (0.0, 0)
      while count < kept && (sum < goal || count == 0) {
        sum += weights[order[count]]
        count += 1
      }
      kept = count
    }
    for number in order.dropFirst(kept) { weights[number] = 0 }
  }
}
