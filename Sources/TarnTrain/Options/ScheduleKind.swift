import Foundation

/// How the learning rate changes over a run.
///
/// The text form is what a command line takes: `constant`, `step:10,0.5`, `exponential:0.97`, `decay:0.97,10`, `cosine`, `cosine:1e-5`,
/// `one-cycle`, `plateau:0.5,3`.
public enum ScheduleKind: Hashable, Sendable {
  case constant
  /// Times `factor` after every `every` epochs.
  case step(every: Int, factor: Double)
  /// Times this factor after every epoch.
  case exponential(Double)
  /// Times `factor` after every epoch from the `first`-th on, as char-rnn.
  case decay(factor: Double, first: Int)
  /// Half a cosine from the full rate to `minimum` over the run.
  case cosine(minimum: Double)
  /// Up from 1/25 of the rate to all of it over the first 30 % of the run, down to 1/250,000 after,
  /// along cosines. L. Smith and N. Topin, *Super-Convergence*, 2018.
  case oneCycle
  /// Times `factor` whenever the monitored figure has not improved for more than `patience` epochs.
  case plateau(factor: Double, patience: Int)
}

extension ScheduleKind: LosslessStringConvertible {
  public var description: String {
    switch self {
    case .constant: "constant"
    case .step(let every, let factor): "step:\(every),\(factor)"
    case .exponential(let factor): "exponential:\(factor)"
    case .decay(let factor, let first): "decay:\(factor),\(first)"
    case .cosine(let minimum): minimum == 0 ? "cosine" : "cosine:\(minimum)"
    case .oneCycle: "one-cycle"
    case .plateau(let factor, let patience): "plateau:\(factor),\(patience)"
    }
  }

  public init?(_ text: String) {
    let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
    let numbers =
      parts.count < 2
      ? [] : parts[1].split(separator: ",", omittingEmptySubsequences: false).map(String.init)
    func number(_ place: Int) -> Double? {
      place < numbers.count ? Double(numbers[place]).flatMap { $0.isFinite ? $0 : nil } : nil
    }
    func whole(_ place: Int) -> Int? { place < numbers.count ? Int(numbers[place]) : nil }
    switch (parts.first.map(String.init) ?? "", numbers.count) {
    case ("constant", 0): self = .constant
    case ("one-cycle", 0): self = .oneCycle
    case ("cosine", 0): self = .cosine(minimum: 0)
    case ("cosine", 1):
      guard let minimum = number(0), minimum >= 0 else { return nil }
      self = .cosine(minimum: minimum)
    case ("exponential", 1):
      guard let factor = number(0), factor > 0 else { return nil }
      self = .exponential(factor)
    case ("decay", 2):
      guard let factor = number(0), factor > 0, let first = whole(1),
        (1...1_000_000_000).contains(first)
      else { return nil }
      self = .decay(factor: factor, first: first)
    case ("step", 2):
      guard let every = whole(0), (1...1_000_000_000).contains(every), let factor = number(1),
        factor > 0
      else { return nil }
      self = .step(every: every, factor: factor)
    case ("plateau", 2):
      guard let factor = number(0), factor > 0, let patience = whole(1), patience >= 0 else {
        return nil
      }
      self = .plateau(factor: factor, patience: patience)
    default: return nil
    }
  }
}

extension ScheduleKind: Codable {
  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    let text = try container.decode(String.self)
    guard let schedule = ScheduleKind(text) else {
      throw DecodingError.dataCorruptedError(
        in: container, debugDescription: "there is no schedule '\(text)'")
    }
    self = schedule
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(description)
  }
}
