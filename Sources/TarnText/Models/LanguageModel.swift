import TarnCore
import TarnNN

/// A model that predicts the next symbol of a text from those before.
///
/// As a layer it maps symbols [steps, batch] to logits [steps · batch, vocabulary], from the start.
public protocol LanguageModel: Layer {
  /// How it is built.
  var card: TextModelCard { get }

  /// What it expects after each symbol.
  ///
  /// - Parameters:
  ///   - symbols: integers [steps, batch].
  ///   - state: what another call gave, to go on from there; empty: from the start.
  /// - Returns: logits [steps · batch, vocabulary], and the state after the last step, empty for models without one.
  func logits(_ symbols: Tensor, from state: [Tensor]) -> (logits: Tensor, state: [Tensor])

  /// Something that reads a text symbol by symbol.
  func stepper() -> any SymbolStepper
}

extension LanguageModel {
  public func callAsFunction(_ symbols: Tensor) -> Tensor { logits(symbols, from: []).logits }
}

/// Reads a text symbol by symbol and tells what may come next.
public protocol SymbolStepper: AnyObject {
  /// Logits of the next symbol [vocabulary], after one more.
  func logits(after symbol: Int) -> [Float]
  /// Forgets what was read.
  func restart()
}
