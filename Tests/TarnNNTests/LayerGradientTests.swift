import Foundation
import Tarn
import Testing

/// Derivatives of every layer and every loss, by name, on the CPU: against finite differences and of one mode against
/// the other, to order 2, which is the gradient of the gradient.
@Suite struct LayerGradientTests {
  @Test(arguments: layerChecks.keys.sorted()) func layers(_ name: String) throws {
    let check = try #require(layerChecks[name])
    let result = Device.with(.cpu) { check() }
    #expect(result.passed, "\(name): \(result)")
  }

  @Test(arguments: lossChecks.keys.sorted()) func losses(_ name: String) throws {
    let check = try #require(lossChecks[name])
    let result = Device.with(.cpu) { check() }
    #expect(result.passed, "\(name): \(result)")
  }

  @Test(arguments: Activation.allCases) func activations(_ activation: Activation) {
    let result = Device.with(.cpu) {
      checkGradients({ activation($0[0]) }, at: [normal([3, 5])], order: 2)
    }
    #expect(result.passed, "\(activation): \(result)")
  }

  /// Nobody adds a layer or a loss without a check above.
  @Test func noneIsMissed() throws {
    let layers = try declared(in: "Layers", /public struct (\w+)(?:<.*>)?: Layer\b/)
    #expect(layers.count > 40)
    #expect(layers == Set(layerChecks.keys))
    let metrics: Set = ["accuracy", "topKAccuracy", "zeroOne"]
    let losses = try declared(in: "Losses", /(?m)^public func (\w+)/)
    #expect(
      losses.subtracting(metrics) == Set(lossChecks.keys.map { String($0.prefix { $0 != " " }) }))
  }

  private func declared(
    in folder: String, _ pattern: Regex<(Substring, Substring)>
  ) throws -> Set<String> {
    let sources = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("../../Sources/TarnNN/\(folder)")
    let files = try FileManager.default.contentsOfDirectory(atPath: sources.path)
    return try files.filter { $0.hasSuffix(".swift") }.reduce(into: []) { names, file in
      let text = try String(contentsOf: sources.appendingPathComponent(file), encoding: .utf8)
      names.formUnion(text.matches(of: pattern).map { String($0.1) })
    }
  }
}

private typealias Check = @Sendable () -> GradientCheck

private func normal(_ shape: [Int], seed: UInt64 = 5) -> Tensor {
  Tensor.normal(shape, key: RandomKey(seed: seed), dtype: .float64)
}

/// A layer, made at the check, in training, for its parameters and its input.
private func layer(_ make: @escaping @Sendable () -> some Layer, _ shape: [Int]) -> Check {
  {
    let layer = make().cast(to: .float64)
    let count = layer.tensors(.trainable).count
    return checkGradients(
      { tensors in
        Phase.training(key: RandomKey(seed: 3)) {
          layer.replacing(.trainable, with: Array(tensors[..<count]))(tensors[count])
        }
      }, at: layer.tensors(.trainable) + [normal(shape)], order: 2)
  }
}

private let layerChecks: [String: Check] = [
  "Linear": layer({ Linear(3, 2) }, [4, 3]),
  "Conv1d": layer({ Conv1d(2, 4, kernel: 3, stride: 2, padding: 1, groups: 2) }, [2, 2, 5]),
  "Conv2d": layer({ Conv2d(2, 2, kernel: 2, stride: 2, padding: 1) }, [1, 2, 3, 3]),
  "ConvTranspose1d": layer({ ConvTranspose1d(2, 2, kernel: 3, stride: 2) }, [1, 2, 3]),
  "ConvTranspose2d": layer({ ConvTranspose2d(2, 1, kernel: 2, stride: 2) }, [1, 2, 2, 2]),
  "MaxPool1d": layer({ MaxPool1d(2) }, [2, 2, 6]),
  "MaxPool2d": layer({ MaxPool2d(3, stride: 2, padding: 1) }, [1, 2, 5, 5]),
  "AvgPool1d": layer({ AvgPool1d(3, stride: 2, padding: 1) }, [2, 2, 6]),
  "AvgPool2d": layer({ AvgPool2d(2) }, [1, 2, 4, 4]),
  "AdaptiveAvgPool2d": layer({ AdaptiveAvgPool2d([2, 3]) }, [1, 2, 5, 4]),
  "AdaptiveMaxPool2d": layer({ AdaptiveMaxPool2d([2, 3]) }, [1, 2, 5, 4]),
  "GlobalAvgPool": layer({ GlobalAvgPool() }, [2, 3, 2, 2]),
  "BatchNorm1d": layer({ BatchNorm1d(2) }, [4, 2]),
  "BatchNorm2d": layer({ BatchNorm2d(2) }, [2, 2, 2, 3]),
  "LayerNorm": layer({ LayerNorm(4) }, [2, 4]),
  "GroupNorm": layer({ GroupNorm(groups: 2, 4) }, [2, 4, 3]),
  "LocalResponseNorm": layer({ LocalResponseNorm(3, alpha: 0.5) }, [2, 5, 2]),
  "Dropout": layer(
    {
      Sequential {
        Linear(3, 4); Dropout(0.5); Tanh()
      }
    }, [2, 3]),
  "Dropout2d": layer(
    {
      Sequential {
        Conv2d(1, 3, kernel: 2); Dropout2d(0.5); Tanh()
      }
    }, [2, 1, 3, 3]),
  "Embedding": {
    let indices = Tensor([0, 2, 2, 1])
    let layer = Embedding(3, 4).cast(to: .float64)
    return checkGradients(
      { layer.replacing(.trainable, with: $0)(indices).tanh() }, at: [layer.weight], order: 2)
  },
  "MultiHeadAttention": layer({ MultiHeadAttention(4, heads: 2, isCausal: true) }, [1, 3, 4]),
  "SqueezeExcitation": layer(
    { SqueezeExcitation(3, squeezed: 2, activation: .silu) }, [1, 3, 2, 2]),
  "StochasticDepth": layer(
    {
      Sequential {
        Linear(3, 4); StochasticDepth(0.5); Tanh()
      }
    }, [4, 3]),
  "SameConv2d": layer({ SameConv2d(1, 2, kernel: 3, stride: 2) }, [1, 1, 4, 5]),
  "LayerNorm2d": layer({ LayerNorm2d(3) }, [2, 3, 2, 2]),
  "Permute": layer(
    {
      Sequential {
        Permute(0, 2, 1); Tanh()
      }
    }, [2, 3, 2]),
  "LayerScale": layer({ LayerScale(3, axes: 1, start: 0.5) }, [2, 3, 2]),
  "LSTM": layer({ LSTM(2, 2, layers: 2, bidirectional: true) }, [2, 1, 2]),
  "GRU": layer(
    {
      Sequential {
        GRU(2, 2); GRU(2, 2, resetBefore: true)
      }
    }, [2, 2, 2]),
  "RNN": layer(
    {
      Sequential {
        RNN(2, 2); RNN(2, 2, nonlinearity: .relu, bidirectional: true)
      }
    }, [2, 2, 2]),
  "Identity": layer(
    {
      Sequential {
        Identity(); Tanh()
      }
    }, [2, 3]),
  "Flatten": layer(
    {
      Sequential {
        Flatten(); Tanh()
      }
    }, [2, 3, 2]),
  "Reshape": layer(
    {
      Sequential {
        Reshape(3, -1); Tanh()
      }
    }, [2, 6]),
  "Upsample": layer(
    {
      Sequential {
        Upsample(by: 2); Upsample(to: [5, 7], mode: .bilinear); Tanh()
      }
    },
    [1, 2, 2, 3]),
  "Sequential": layer(
    {
      Sequential {
        Linear(3, 4); Tanh(); Linear(4, 2)
      }
    }, [2, 3]),
  "Chain": layer({ Chain([Linear(3, 3), Linear(3, 3)]) }, [2, 3]),
  "OptionalLayer": layer(
    {
      Sequential {
        OptionalLayer(Linear(3, 2)); Tanh()
      }
    }, [2, 3]),
  "EitherLayer": layer({ EitherLayer<Linear, Tanh>(.first(Linear(3, 2))) }, [2, 3]),
  "Residual": layer(
    {
      Residual(
        Sequential {
          Linear(3, 3); Softplus()
        }, activation: .silu)
    }, [2, 3]),
  "ReLU": layer({ ReLU() }, [3, 4]), "ReLU6": layer({ ReLU6() }, [3, 4]),
  "SiLU": layer({ SiLU() }, [3, 4]), "Mish": layer({ Mish() }, [3, 4]),
  "Tanh": layer({ Tanh() }, [3, 4]), "Sigmoid": layer({ Sigmoid() }, [3, 4]),
  "LogSigmoid": layer({ LogSigmoid() }, [3, 4]), "Softplus": layer({ Softplus() }, [3, 4]),
  "Softsign": layer({ Softsign() }, [3, 4]), "HardTanh": layer({ HardTanh() }, [3, 4]),
  "HardSwish": layer({ HardSwish() }, [3, 4]), "HardSigmoid": layer({ HardSigmoid() }, [3, 4]),
  "LeakyReLU": layer({ LeakyReLU(0.2) }, [3, 4]), "PReLU": layer({ PReLU(4) }, [3, 4, 2]),
  "ELU": layer({ ELU(0.7) }, [3, 4]), "SELU": layer({ SELU() }, [3, 4]),
  "GELU": layer(
    {
      Sequential {
        GELU(); GELU(approximate: true)
      }
    }, [3, 4]),
  "Softmax": layer({ Softmax(axis: 0) }, [3, 4]),
  "LogSoftmax": layer({ LogSoftmax() }, [3, 4]),
]

/// A loss of predictions and real targets, both of which it is differentiated by.
private func loss(
  _ predictions: @escaping @Sendable (Tensor) -> Tensor = { $0 },
  _ targets: @escaping @Sendable (Tensor) -> Tensor = { $0 },
  _ f: @escaping @Sendable (Tensor, Tensor) -> Tensor
) -> Check {
  {
    checkGradients(
      { f(predictions($0[0]), targets($0[1])) }, at: [normal([4, 3]), normal([4, 3], seed: 6)],
      order: 2)
  }
}

/// A loss of scores and class numbers.
private func classes(_ f: @escaping @Sendable (Tensor, Tensor) -> Tensor) -> Check {
  {
    let labels = Tensor([0, 2, 1, 2])
    return checkGradients({ f($0[0], labels) }, at: [normal([4, 3])], order: 2)
  }
}

private let lossChecks: [String: Check] = [
  "squaredError": loss { squaredError($0, $1) },
  "absoluteError": loss { absoluteError($0, $1, reduction: .none) },
  "huber": loss { huber($0, $1, delta: 0.5) },
  "smoothL1": loss { smoothL1($0, $1, beta: 0.5) },
  "binaryCrossEntropy of probabilities": loss(
    { $0.sigmoid() }, { $0.sigmoid() }, { binaryCrossEntropy(probabilities: $0, $1) }),
  "binaryCrossEntropy of logits": loss({ $0 }, { $0.sigmoid() }) {
    binaryCrossEntropy(logits: $0, $1, positiveWeight: Tensor(2))
  },
  "logistic": loss { logistic($0, $1) },
  "hinge": loss { hinge($0, $1) },
  "klDivergence": loss({ $0.logSoftmax() }, { $0.softmax() }) {
    klDivergence(logProbabilities: $0, $1)
  },
  "crossEntropy of labels": classes { crossEntropy($0, $1) },
  "crossEntropy with weights": classes {
    crossEntropy($0, $1, weights: Tensor([1, 2, 0.5]), smoothing: 0.1, ignoring: 0)
  },
  "crossEntropy of probabilities": loss({ $0 }, { $0.softmax() }) { crossEntropy($0, $1) },
  "negativeLogLikelihood": classes { negativeLogLikelihood(logProbabilities: $0.logSoftmax(), $1) },
  "multiClassHinge": classes { multiClassHinge($0, $1) },
  "l1Penalty": { penalty { l1Penalty($0) } },
  "l2Penalty": { penalty { l2Penalty($0, .except("bias")) } },
  "totalVariation": {
    checkGradients({ totalVariation($0[0]) }, at: [normal([2, 3, 3])], order: 2)
  },
]

private func penalty(_ f: @escaping @Sendable (Linear) -> Tensor) -> GradientCheck {
  let layer = Linear(3, 2, key: RandomKey(seed: 1)).cast(to: .float64)
  return checkGradients(
    { f(layer.replacing(.trainable, with: $0)) }, at: layer.tensors(.trainable), order: 2)
}
