// A network library in one file. Every part knows two things: how to compute its output from its
// input, and how to turn the slope of the loss for its output into the slope for its input.
import Tarn

protocol Part: AnyObject {
  /// z from x, [batch, inputs] → [batch, outputs].
  func forward(_ x: Tensor) -> Tensor
  /// ∂L/∂x from dz = ∂L/∂z, by the chain rule; parameters note their own slopes.
  func backward(_ dz: Tensor) -> Tensor
  /// A step downhill.
  func update(rate: Double)
}

extension Part {
  func update(rate: Double) {}
}

/// z = x W + b
final class Linear: Part {
  var (w, b): (Tensor, Tensor)
  private(set) var (dw, db) = (Tensor(0), Tensor(0))
  private var x = Tensor(0)

  init(_ inputs: Int, _ outputs: Int, key: RandomKey) {
    w = .normal([inputs, outputs], deviation: 1 / Double(inputs).squareRoot(), key: key)
    b = .zeros([outputs])
  }

  func forward(_ x: Tensor) -> Tensor {
    self.x = x
    return x.matmul(w) + b
  }

  func backward(_ dz: Tensor) -> Tensor {
    dw = x.transposed().matmul(dz)
    db = dz.sum(0)
    return dz.matmul(w.transposed())
  }

  func update(rate: Double) {
    w = (w - rate * dw).evaluate()
    b = (b - rate * db).evaluate()
  }
}

/// z = tanh x, and tanh' = 1 - tanh²
final class Tanh: Part {
  private var z = Tensor(0)

  func forward(_ x: Tensor) -> Tensor {
    z = x.tanh()
    return z
  }

  func backward(_ dz: Tensor) -> Tensor { (1 - z.squared()) * dz }
}

/// z = log softmax x: scores become logarithms of probabilities. The logarithm is taken here, not
/// in the loss, because the probability of a hopeless class rounds to 0 and log 0 is -∞.
final class Softmax: Part {
  private var p = Tensor(0)

  func forward(_ x: Tensor) -> Tensor {
    let shifted = x - x.max(1, keepDims: true)
    let z = shifted - shifted.exp().sum(1, keepDims: true).log()
    p = z.exp()
    return z
  }

  func backward(_ dz: Tensor) -> Tensor { dz - p * dz.sum(1, keepDims: true) }
}

/// L = -mean of log p at the right class
final class CrossEntropy {
  private var target = Tensor(0)

  func forward(_ logP: Tensor, _ y: Tensor) -> Tensor {
    target = y.oneHot(logP.shape[1])
    return -(target * logP).sum() / y.count
  }

  func backward() -> Tensor { -target / target.shape[0] }
}

/// Parts one after another: forward in order, backward in reverse.
final class Net {
  private(set) var parts: [any Part] = []
  private let crossEntropy = CrossEntropy()

  func add(_ part: some Part) { parts.append(part) }

  /// Logarithms of probabilities [batch, classes].
  func forward(_ x: Tensor) -> Tensor { parts.reduce(x) { $1.forward($0) } }

  func loss(_ x: Tensor, _ y: Tensor) -> Tensor { crossEntropy.forward(forward(x), y) }

  /// The slopes for the loss computed last.
  func backward() {
    _ = parts.reversed().reduce(crossEntropy.backward()) { slope, part in part.backward(slope) }
  }

  /// One step downhill for a few examples.
  func learn(_ x: Tensor, _ y: Tensor, rate: Double) {
    _ = loss(x, y)
    backward()
    for part in parts { part.update(rate: rate) }
  }
}
