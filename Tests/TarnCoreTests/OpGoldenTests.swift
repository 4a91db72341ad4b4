import Tarn
import Testing

/// Every operation against PyTorch, values and gradients, in float64.
@Suite struct OpGoldenTests {
  static let files = ["ops", "reductions", "movement", "contractions"]

  @Test(arguments: files) func agreesWithPyTorch(_ file: String) throws {
    let functions = try #require(OpGoldens.functions[file])
    for (name, arrays) in try OpGoldens.cases(file) {
      guard let function = functions[name] else {
        Issue.record("\(file): no function for the case \(name)")
        continue
      }
      checkValues(name, function, arrays, prefix: "")
      checkValues(name, function, arrays, prefix: "edge.")
      checkGradients(name, function, arrays)
    }
  }

  /// The arrays x0, x1, … or the only one, x.
  private func list(_ name: String, _ arrays: [String: Tensor]) -> [Tensor] {
    if let only = arrays[name] { return [only] }
    return (0..<4).compactMap { arrays["\(name)\($0)"] }
  }

  private func checkValues(
    _ name: String, _ function: OpGoldens.Function, _ arrays: [String: Tensor], prefix: String
  ) {
    let expected = list(prefix + "y", arrays)
    if expected.isEmpty { return }
    let results = function(list(prefix + "x", arrays))
    #expect(results.count == expected.count, "\(name)")
    for (result, wanted) in zip(results, expected) {
      #expect(result.shape == wanted.shape, "\(name)")
      #expect(
        agree(result, wanted.array(of: Double.self), result.dtype == .float32 ? 1e-6 : 1e-10),
        "\(prefix)\(name): \(result) is not \(wanted)")
    }
  }

  private func checkGradients(
    _ name: String, _ function: @escaping OpGoldens.Function, _ arrays: [String: Tensor]
  ) {
    let (x, upstream) = (list("x", arrays), list("u", arrays))
    for i in x.indices {
      guard let wanted = arrays["g\(i)"] else { continue }
      let gradient = grad(
        { (varied: Tensor) -> Tensor in
          var operands = x
          operands[i] = varied
          let results = function(operands)
          if upstream.isEmpty { return results[0].sum() }
          return zip(results, upstream).map { ($0 * $1).sum() }.reduce(Tensor(0), +)
        }, at: x[i])
      #expect(gradient.shape == wanted.shape, "\(name) g\(i)")
      // PyTorch holds the sixth in the derivative of hardSigmoid in float32, 5e-9 off.
      #expect(
        agree(gradient, wanted.array(of: Double.self), 1e-8),
        "\(name) g\(i): \(gradient) is not \(wanted)")
    }
  }
}
