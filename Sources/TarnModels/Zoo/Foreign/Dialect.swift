import TarnCore
import TarnInterop
import TarnNN
import TarnVision

/// How somebody else names the tensors of a network, and what else is different with their weights.
///
/// A tensor's name is that of a module and of a variable, `conv1` and `weight` of `conv1.weight`. Variables are named as PyTorch's
/// by the readers of files already, so that a dialect mostly says what modules are called.
struct Dialect: Sendable {
  /// Whose it is, for people.
  let origin: String
  /// Our modules by their names there.
  var modules: [String: String] = [:]
  /// Our tensors by their names there, where modules do not say it.
  var tensors: [String: String] = [:]
  /// Ours that are several of theirs, one below the other.
  var joined: [String: [String]] = [:]
  /// Whose names are nothing to the network.
  var ignored: Set<String> = []
  /// The normalisation behind a convolution of ours whose bias goes into the running mean.
  var norms: [String: String] = [:]
  /// Their modules whose weights go by rows of pixels, [O, H · W · C], with the sides of the pixels.
  var pixelsFirst: [String: Int] = [:]
  /// Our modules that files without the last layer lack too.
  var top: [String] = []
  /// Why weights with these names are none of the network's; nil if they are.
  var refusal: String?
  var variant = NetworkVariant.own
  var preprocessing: Preprocessing?

  /// The name of ours; nil for one that is not known.
  func name(_ theirs: String) -> String? {
    if let name = tensors[theirs] { return name }
    guard let dot = theirs.lastIndex(of: "."), let module = modules[String(theirs[..<dot])] else {
      return nil
    }
    return module + theirs[dot...]
  }

  /// How many of the names it knows.
  func familiar(_ names: [String]) -> Int {
    let parts = Set(joined.values.joined())
    return names.count { name($0) != nil || parts.contains($0) }
  }

  /// The weights under our names, as the network has them.
  ///
  /// - Parameter model: with tensors of the shapes that are wanted.
  func translated(_ weights: Weights, for model: some Layer) -> Weights {
    var result = weights.renamed { ignored.contains($0) ? nil : name($0) ?? $0 }
    for (theirs, side) in pixelsFirst {
      let module = modules[theirs] ?? theirs
      guard let weight = result["\(module).weight"], weight.rank == 2,
        weight.shape[1].isMultiple(of: side * side)
      else { continue }
      result["\(module).weight"] = weight.reshaped([weight.shape[0], side, side, -1])
        .permuted(0, 3, 1, 2).flattened(from: 1)
    }
    for (ours, parts) in joined {
      let tensors = parts.compactMap { weights[$0] }
      guard tensors.count == parts.count, tensors.allSatisfy({ $0.rank > 0 }),
        Set(tensors.map { Array($0.shape.dropFirst()) }).count == 1
      else { continue }
      for part in parts { result[part] = nil }
      result[ours] = .concatenated(tensors, axis: 0)
    }
    foldBiases(&result)
    fit(&result, to: model)
    return result
  }

  /// A bias before a normalisation is a shift of its running mean.
  private func foldBiases(_ weights: inout Weights) {
    for (conv, norm) in norms {
      guard let bias = weights["\(conv).bias"], let mean = weights["\(norm).running_mean"],
        bias.shape == mean.shape
      else { continue }
      weights["\(norm).running_mean"] = mean - bias
      weights["\(conv).bias"] = nil
    }
  }

  /// 1×1 kernels for matrices and the other way round; kernels on each channel apart that a file does not tell from others; a
  /// scale of ones where a normalisation has none.
  private func fit(_ weights: inout Weights, to model: some Layer) {
    for (name, wanted) in model.namedTensors {
      if let found = weights[name] {
        if found.shape != wanted.shape, Self.rows(found.shape) == Self.rows(wanted.shape) {
          weights[name] = found.reshaped(wanted.shape)
        } else if found.rank == 4, wanted.shape[1] == 1,
          found.transposed(0, 1).shape == wanted.shape
        {
          weights[name] = found.transposed(0, 1)
        }
      } else if wanted.rank == 1, name.hasSuffix(".weight"),
        let mean = weights[name.dropLast("weight".count) + "running_mean"]
      {
        weights[name] = .ones(mean.shape)
      }
    }
  }

  /// Lengths as of a matrix with as many rows.
  private static func rows(_ shape: [Int]) -> [Int] {
    [shape.first ?? 1, shape.dropFirst().reduce(1, *)]
  }
}

/// A network whose weights others publish under names of their own.
protocol Translated: Layer {
  /// Those names, one for each who gave them; of two that know as many names of a file the first counts.
  func dialects(_ clues: Clues) -> [Dialect]
}

extension Dialect {
  /// A dialect whose convolutions may have biases before the normalisations that `norms` names.
  func folding(_ norms: [String: String]) -> Dialect {
    var dialect = self
    dialect.norms = norms
    return dialect
  }

  /// Names of modules of a sequence, from 0.
  static func numbered(_ names: [String], as theirs: (Int) -> String) -> [String: String] {
    Dictionary(names.enumerated().map { (theirs($0.offset), $0.element) }) { first, _ in first }
  }
}

extension Layer {
  /// Paths of the modules that hold a tensor of this name and rank, in order.
  func modules(with tensor: String, rank: Int) -> [String] {
    namedTensors.filter { $0.tensor.rank == rank && $0.name.hasSuffix(".\(tensor)") }
      .map { String($0.name.dropLast(tensor.count + 1)) }
  }

  /// Paths of its convolutions, in order.
  var convolutionPaths: [String] { modules(with: "weight", rank: 4) }
  /// Paths of its batch normalisations, in order.
  var normPaths: [String] { modules(with: "running_mean", rank: 1) }
  /// Paths of its linear layers, in order.
  var linearPaths: [String] { modules(with: "weight", rank: 2) }
}

extension Preprocessing {
  /// As the authors of networks for Caffe did it, and Keras after them: blue first, bytes less their means.
  static func caffe(_ resize: Int = 256, _ crop: Int = 224, scale: Double = 1) -> Preprocessing {
    Preprocessing(
      resize: .shortSide(resize), crop: [crop, crop], channelOrder: .bgr, scale: scale,
      mean: [103.939, 116.779, 123.68].map { $0 * scale }, deviation: [1, 1, 1])
  }

  /// ImageNet's means and deviations, for pictures of other sides as well.
  static func torch(
    _ side: Int = 224, share: Double = 0.875, _ interpolation: Interpolation = .bilinear,
    mean: [Double] = imageNetMean, deviation: [Double] = imageNetDeviation
  ) -> Preprocessing {
    Preprocessing(
      resize: .shortSide(Int((Double(side) / share).rounded(.down))), rounding: .torchvision,
      crop: [side, side], interpolation: interpolation, mean: mean, deviation: deviation)
  }

  /// As ``torch(_:share:_:mean:deviation:)`` with bytes brought to −1 … 1.
  static func timmHalves(_ side: Int = 224, share: Double = 0.875) -> Preprocessing {
    let halves = [0.5, 0.5, 0.5]
    return torch(side, share: share, .bicubic, mean: halves, deviation: halves)
  }
}
