import Tarn

/// A short computation whose result is known, to see that the engine works on this machine.
struct SelfCheck: Encodable {
  var name: String
  var isRight: Bool
  var finding: String
  /// What to do if it is not right.
  var remedy: String?

  static func all(seed: UInt64) -> [SelfCheck] {
    [engine, product(seed), gradient(seed), decomposition(seed)]
  }

  private static var engine: SelfCheck {
    let isThere = Device.current == .cpu
    return SelfCheck(
      name: "engine", isRight: isThere, finding: "\(Device.current)",
      remedy: "this program was built without the CPU engine; build it with `make build`")
  }

  private static let rebuild =
    "try TARN_SIMD=portable; if that helps, please report it with the output of `tarn doctor`"

  /// A matrix product against the reference backend.
  private static func product(_ seed: UInt64) -> SelfCheck {
    compared("matrix product") {
      let (a, b) = RandomKey(seed: seed).split()
      return Tensor.normal([67, 45], key: a).matmul(Tensor.normal([45, 33], key: b))
    }
  }

  /// The gradient of a small network against the reference backend.
  private static func gradient(_ seed: UInt64) -> SelfCheck {
    compared("gradient") {
      let keys = RandomKey(seed: seed).split(3)
      let x = Tensor.normal([16, 12], key: keys[0])
      let out = Tensor.normal([24, 1], key: keys[1])
      return grad(
        { (w: Tensor) in x.matmul(w).tanh().matmul(out).squared().mean() },
        at: Tensor.normal([12, 24], key: keys[2]))
    }
  }

  /// LAPACK: a symmetric matrix times its inverse.
  private static func decomposition(_ seed: UInt64) -> SelfCheck {
    let remedy = "install LAPACK: apt-get install liblapack3 (Linux); it comes with macOS"
    let result = Swift.Result {
      try Diagnostic.catching {
        let a = Tensor.normal([8, 8], key: RandomKey(seed: seed))
        let matrix = a.matmul(a.transposed()) + 8 * Tensor.eye(8)
        let difference = matrix.matmul(matrix.inverse()) - Tensor.eye(8)
        return difference.abs().max().item()
      }
    }
    switch result {
    case .success(let error):
      return SelfCheck(
        name: "LAPACK", isRight: error < 1e-3,
        finding: "a matrix times its inverse differs from 1 by \(Text.number(error, digits: 2))",
        remedy: remedy)
    case .failure(let error):
      return SelfCheck(
        name: "LAPACK", isRight: false, finding: Failure.text(of: error), remedy: remedy)
    }
  }

  private static func compared(_ name: String, _ make: @Sendable () -> Tensor) -> SelfCheck {
    let result = Swift.Result {
      try Diagnostic.catching {
        let fast = make().array(of: Double.self)
        let slow = Device.with(.reference) { make().array(of: Double.self) }
        guard fast.count == slow.count else { return Double.infinity }
        let largest = slow.map(\.magnitude).max() ?? 1
        let difference = zip(fast, slow).map { ($0 - $1).magnitude }.max() ?? 0
        return difference.isNaN ? .infinity : difference / max(largest, 1e-30)
      }
    }
    switch result {
    case .success(let error):
      return SelfCheck(
        name: name, isRight: error < 1e-4,
        finding:
          "differs from the reference by \(Text.number(error, digits: 2)) of the largest value",
        remedy: rebuild)
    case .failure(let error):
      return SelfCheck(
        name: name, isRight: false, finding: Failure.text(of: error), remedy: rebuild)
    }
  }
}
