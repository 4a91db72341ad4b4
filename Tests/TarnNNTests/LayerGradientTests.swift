import Tarn
import Testing

/// Derivatives of whole layers against finite differences and of one mode against the other, to order 2.
@Suite struct LayerGradientTests {
  private func check<L: Layer>(
    _ layer: L, _ shape: [Int], sourceLocation: SourceLocation = #_sourceLocation
  ) {
    let layer = layer.cast(to: .float64)
    let x = Tensor.normal(shape, key: RandomKey(seed: 5), dtype: .float64)
    let count = layer.tensors(.trainable).count
    let result = checkGradients(
      { tensors in
        Phase.training(key: RandomKey(seed: 3)) {
          layer.replacing(.trainable, with: Array(tensors[..<count]))(tensors[count])
        }
      }, at: layer.tensors(.trainable) + [x], order: 2, tolerance: 1e-5)
    #expect(result.passed, "\(result)", sourceLocation: sourceLocation)
  }

  @Test func linear() { check(Linear(3, 2), [4, 3]) }
  @Test func convolution() { check(Conv2d(2, 2, kernel: 2, stride: 2, padding: 1), [1, 2, 3, 3]) }
  @Test func transposed() { check(ConvTranspose2d(2, 1, kernel: 2, stride: 2), [1, 2, 2, 2]) }
  @Test func batchNorm() { check(BatchNorm1d(2), [4, 2]) }
  @Test func layerNorm() { check(LayerNorm(4), [2, 4]) }
  @Test func dropout() {
    check(
      Sequential {
        Linear(3, 4); Dropout(0.5); Tanh()
      }, [2, 3])
  }
  @Test func residual() {
    check(
      Residual(
        Sequential {
          Linear(3, 3); Softplus()
        }, activation: .silu), [2, 3])
  }
}
