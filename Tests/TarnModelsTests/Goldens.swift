import Foundation
import Tarn
import Testing

/// What torchvision's networks give, see Tests/Goldens/README.md.
let goldens = Result {
  let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().appendingPathComponent("Goldens")
  return try Weights(contentsOf: folder.appendingPathComponent("zoo.npz"))
}

/// In [−1, 1), by a hash of the name (FNV-1a) and the place: as `numbers` of Tools/golden_cases/zoo.py.
func numbers(_ name: String, _ shape: [Int]) -> Tensor {
  let seed = name.utf8.reduce(UInt32(2_166_136_261)) { ($0 ^ UInt32($1)) &* 16_777_619 }
  let count = shape.reduce(1, *)
  let values = [Float](unsafeUninitializedCapacity: count) { buffer, initialized in
    for place in 0..<count {
      var h = UInt32(truncatingIfNeeded: place) &+ seed
      h &*= 0x9E37_79B1
      h ^= h >> 15
      h &*= 0x85EB_CA77
      h ^= h >> 13
      h &*= 0xC2B2_AE3D
      h ^= h >> 16
      buffer[place] = Float(h >> 8) / 8_388_608 - 1
    }
    initialized = count
  }
  return Tensor(values, shape: shape)
}

extension Module {
  /// With the tensors of `value` of Tools/golden_cases/zoo.py.
  func withGoldenWeights() throws -> Self {
    let tensors = namedTensors.map { name, tensor in
      (name: name, tensor: goldenTensor(name, tensor.shape))
    }
    return try loading(Weights(tensors)).model
  }
}

private func goldenTensor(_ name: String, _ shape: [Int]) -> Tensor {
  let kind = name.split(separator: ".").last ?? ""
  if kind == "num_batches_tracked" { return .zeros(shape, dtype: .int64) }
  // In double precision, as there.
  let fan = Double(shape.dropFirst().reduce(1, *))
  let (shift, factor): (Double, Double) =
    shape.count > 1
    ? (0, (6 / fan).squareRoot()) : ["weight", "running_var"].contains(kind) ? (1, 0.2) : (0, 0.1)
  let values = numbers(name, shape).array(of: Float.self)
  return Tensor(values.map { Float(shift + Double($0) * factor) }, shape: shape)
}

/// |a − b| / |b|, at least 1e-30 below.
func relativeError(_ a: Tensor, _ b: Tensor) -> Double {
  (a - b).squared().sum().sqrt().item() / max(b.squared().sum().sqrt().item(), 1e-30)
}
