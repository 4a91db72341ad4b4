import TarnCore
import TarnNN

/// A network with more classifiers on the way, whose losses help its first layers to train: ``GoogLeNet`` and ``InceptionV3``.
///
/// ```swift
/// let outputs = Phase.training(key: key) { model.allLogits(x) }
/// let losses = outputs.map { crossEntropy($0, y) }
/// let total = losses.dropFirst().reduce(losses[0]) { $0 + GoogLeNet.auxiliaryShare * $1 }
/// ```
public protocol AuxiliaryClassifying: Layer {
  /// The factor of each of their losses, as in torchvision's reference.
  static var auxiliaryShare: Double { get }
  /// Whether it was made with them.
  var hasAuxiliaries: Bool { get }
  /// The network's logits and those of each classifier on the way, all [N, classes].
  func allLogits(_ x: Tensor) -> [Tensor]
}

extension AuxiliaryClassifying {
  /// Whether the classifiers on the way can take pictures [C, H, W]; that of ``InceptionV3`` wants about 299 pixels a side.
  public func auxiliariesTake(_ shape: [Int]) -> Bool {
    // Recording computes shapes only.
    do {
      try Diagnostic.catching { _ = allLogits(.zeros([1] + shape)) }
      return true
    } catch { return false }
  }
}

extension GoogLeNet: AuxiliaryClassifying {
  public static let auxiliaryShare = 0.3
  public var hasAuxiliaries: Bool { aux1 != nil || aux2 != nil }
  public func allLogits(_ x: Tensor) -> [Tensor] { outputs(x).all }
}

extension InceptionV3: AuxiliaryClassifying {
  public static let auxiliaryShare = 0.4
  public var hasAuxiliaries: Bool { auxiliary != nil }
  public func allLogits(_ x: Tensor) -> [Tensor] { outputs(x).all }
}
