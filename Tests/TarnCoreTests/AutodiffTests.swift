import Foundation
import Testing

import TarnCore

@Suite struct AutodiffTests {
  private let x = Tensor([0.3, -1.2, 2.0, 0.7])

  @Test func gradientDescentOnABowlFollowsThePublishedPath() {
    // f(x) = (x₀ − 3)² + (x₁ + 2)² from 0 with rate 0.1
    let target = Tensor([3, -2] as [Float])
    var x = Tensor([0, 0] as [Float])
    var path: [[Float]] = []
    for _ in 0..<15 {
      x = x - 0.1 * grad({ ($0 - target).squared().sum() }, at: x)
      path.append(x.array(of: Float.self))
    }
    #expect(path[0] == [0.6, -0.4])
    #expect(abs(path[14][0] - 2.894447) < 2e-6 && abs(path[14][1] + 1.929631) < 2e-6)
  }

  @Test func higherDerivativesOfAPower() {
    let cube: @Sendable (Tensor) -> Tensor = { ($0 * $0 * $0).sum() }
    let first = grad(cube, at: x)
    let second = grad({ grad(cube, at: $0).sum() }, at: x)
    let third = grad({ grad({ grad(cube, at: $0).sum() }, at: $0).sum() }, at: x)
    #expect(first.isClose(to: 3 * x * x))
    #expect(second.isClose(to: 6 * x))
    #expect(third.isClose(to: Tensor([6, 6, 6, 6.0])))
  }

  @Test func innerAndOuterVariablesAreKeptApart() {
    // d/dx [x · d/dy (x + y)]_{y=1} = d/dx x = 1: the classic case of perturbation confusion
    let one = Tensor([1.0])
    let outer = grad({ x in (x * grad({ y in (x + y).sum() }, at: one)).sum() }, at: Tensor([5.0]))
    #expect(outer.item() == 1)
    let forward = jvp(
      { x in x * jvp({ y in x + y }, at: one, along: one).tangent }, at: Tensor([5.0]), along: one)
    #expect(forward.tangent.item() == 1)
  }

  /// An MLP with cross-entropy: 3 → 4 → 2, parameters in one vector.
  private static func loss(_ theta: Tensor) -> Tensor {
    let inputs = Tensor([0.5, -1, 2, 1.5, 0.25, -0.75], shape: [2, 3])
    let w1 = theta[0..<12].reshaped(4, 3)
    let b1 = theta[12..<16]
    let w2 = theta[16..<24].reshaped(2, 4)
    let logits = (inputs.matmul(w1.transposed()) + b1).tanh().matmul(w2.transposed())
    return -(logits.logSoftmax() * Tensor([1, 0, 0, 1.0], shape: [2, 2])).sum()
  }

  @Test func hessianVectorProductsEqualTheHessianAndDifferences() {
    let theta = Tensor((0..<24).map { sin(Double($0) * 1.7) })
    let v = Tensor((0..<24).map { cos(Double($0) * 0.9) })
    let h = hessian(Self.loss, at: theta)
    let product = hvp(Self.loss, at: theta, along: v)
    #expect(product.isClose(to: h.matmul(v), relative: 1e-10, absolute: 1e-12))
    #expect(h.isClose(to: h.transposed(), relative: 1e-10, absolute: 1e-12))
    let step = 1e-5
    let differences =
      (grad(Self.loss, at: theta + step * v) - grad(Self.loss, at: theta - step * v)) / (2 * step)
    #expect(product.isClose(to: differences, relative: 1e-6, absolute: 1e-8))
    let column = hvp(Self.loss, at: theta, along: Tensor((0..<24).map { $0 == 5 ? 1.0 : 0 }))
    #expect(column.isClose(to: h[.all, 5], relative: 1e-10, absolute: 1e-12))
  }

  @Test func perExampleGradientsEqualALoop() {
    let w = Tensor([0.1, -0.4, 0.8])
    let rows = Tensor((0..<12).map { sin(Double($0)) }, shape: [4, 3])
    let labels = Tensor([0, 1, 1, 0.0])
    func loss(_ w: Tensor, _ x: Tensor, _ y: Tensor) -> Tensor {
      let z = (w * x).sum()
      return z.softplus() - y * z
    }
    let together = vmap(over: Pair(rows, labels)) { example in
      grad({ loss($0, example.first, example.second) }, at: w)
    }
    let apart = Tensor.stacked((0..<4).map { i in grad({ loss($0, rows[i], labels[i]) }, at: w) })
    #expect(together.isClose(to: apart, relative: 1e-12, absolute: 1e-14))
  }

  @Test func jacobiansByBothModes() {
    let a = Tensor((0..<12).map { cos(Double($0)) }, shape: [3, 4])
    let wide = jacobian({ a.matmul($0).sin() }, at: x)
    let y = a.matmul(x)
    #expect(wide.isClose(to: y.cos().expandedDims(1) * a, relative: 1e-12, absolute: 1e-14))
    let tall = jacobian({ a.transposed().matmul($0).sin() }, at: Tensor([0.1, 0.2, 0.3]))
    let z = a.transposed().matmul(Tensor([0.1, 0.2, 0.3]))
    #expect(
      tall.isClose(to: z.cos().expandedDims(1) * a.transposed(), relative: 1e-12, absolute: 1e-14))
  }

  @Test func checkpointedGivesTheSameDerivativesToSecondOrder() {
    let w = Tensor([1.5, -0.5, 0.25, 2.0])
    let plain: @Sendable (Tensor, Tensor) -> Tensor = { w, x in ((w * x).sin() * x).exp() }
    let kept: @Sendable (Tensor, Tensor) -> Tensor = { w, x in checkpointed { plain(w, $0) }(x) }
    let (gx, px) = (grad({ kept(w, $0).sum() }, at: x), grad({ plain(w, $0).sum() }, at: x))
    #expect(gx.isClose(to: px, relative: 1e-12))
    // What the block closes over is differentiated too.
    let (gw, pw) = (grad({ kept($0, x).sum() }, at: w), grad({ plain($0, x).sum() }, at: w))
    #expect(gw.isClose(to: pw, relative: 1e-12))
    let (h, p) = (
      hvp({ kept($0, x).sum() }, at: w, along: x), hvp({ plain($0, x).sum() }, at: w, along: x)
    )
    #expect(h.isClose(to: p, relative: 1e-12))
  }

  @Test func checkpointedNeedsLessMemory() {
    func deep(_ x: Tensor, checkpoint: Bool) -> Tensor {
      var y = x
      for _ in 0..<8 {
        let block: (Tensor) -> Tensor = { y in
          var y = y
          // The permutation keeps each step's result in memory for the backward pass.
          for _ in 0..<8 { y = y.transposed().matmul(y).tanh() }
          return y
        }
        y = checkpoint ? checkpointed(block)(y) : block(y)
      }
      return y.sum()
    }
    func scratch(_ checkpoint: Bool) -> Int {
      let x = Tensor.full([16, 16], 0.01, dtype: .float64)
      x.evaluate()
      let g = grad({ deep($0, checkpoint: checkpoint) }, at: x)
      return Program(Simplifier.simplified(Engine.graph(of: [g]).graph, claims: { _, _ in false }))
        .scratchBytes
    }
    #expect(2 * scratch(true) < scratch(false))
  }

  @Test func stoppedAndCustomDerivatives() {
    #expect(grad({ (stopGradient($0) * $0).sum() }, at: x).isClose(to: x))
    let straight = grad(
      { x in customDerivative([x], { $0[0].round() }, vjp: { _, _, g in [3 * g] }).sum() }, at: x)
    #expect(straight.isClose(to: Tensor([3, 3, 3, 3.0])))
    let mapped = vmap(over: x) { row in
      grad(
        { customDerivative([$0], { $0[0].squared() }, vjp: { x, _, g in [x[0] * g] }).sum() },
        at: row)
    }
    #expect(mapped.isClose(to: x))
    let outside = grad(
      { w in
        vmap(over: w) { row in
          customDerivative([row], { $0[0].squared() }, vjp: { x, _, g in [x[0] * g] })
        }.sum()
      },
      at: x)
    #expect(outside.isClose(to: x))
    #expect(throws: Diagnostic.self) {
      try Diagnostic.catching {
        _ = jvp(
          { customDerivative([$0], { $0[0].round() }, vjp: { _, _, g in [g] }) }, at: x, along: x)
      }
    }
  }

  @Test func aCustomGradientMustFitItsArgument() {
    let x = x
    func gradient(_ vjp: @escaping @Sendable ([Tensor], Tensor, Tensor) -> [Tensor?]) throws {
      try Diagnostic.catching {
        _ = grad({ customDerivative([$0], { $0[0].squared() }, vjp: vjp).sum() }, at: x)
      }
    }
    #expect(throws: Diagnostic.self) { try gradient { _, _, g in [g.sum()] } }
    #expect(throws: Diagnostic.self) { try gradient { _, _, g in [g, g] } }
    #expect(throws: Never.self) { try gradient { _, _, g in [g] } }
    #expect(throws: Never.self) { try gradient { _, _, g in [nil] } }
  }

  @Test func aPullbackThatOutlivesTheDerivativeAroundItSaysSo() {
    var escaped: (@Sendable (Tensor) -> Tensor)?
    let gradient = grad(
      { x in
        let (y, pullback) = vjp({ $0.squared() }, at: x)
        escaped = pullback
        return pullback(Tensor.ones(like: y)).sum()
      }, at: x)
    #expect(gradient.isClose(to: Tensor([2, 2, 2, 2.0])))
    let seed = Tensor.ones(like: x)
    #expect(throws: Diagnostic.self) { try Diagnostic.catching { _ = escaped?(seed) } }
  }

  @Test func gradientsAccumulate() {
    let first = grad({ $0.squared().sum() }, at: x)
    let second = grad({ $0.sum() }, at: x)
    #expect((first + second).isClose(to: grad({ ($0.squared() + $0).sum() }, at: x)))
  }

  @Test func valuesMayBeReadInsideAGradient() {
    let g = grad(
      { x in
        let y = x.squared()
        // A branch on a computed value, as one writes it in plain Swift.
        return y.sum().item() > 1 ? (2 * y).sum() : y.sum()
      }, at: x)
    #expect(g.isClose(to: 4 * x))
  }

  @Test func readingAnArgumentIsAnError() throws {
    do {
      try Diagnostic.catching { _ = vmap(over: x) { row in row * row.item() } }
      Issue.record("no diagnostic")
    } catch let diagnostic as Diagnostic {
      #expect(diagnostic.operation == "reading a value")
    }
  }

  @Test func aGradientNeedsOneFloatingNumber() throws {
    #expect(throws: Diagnostic.self) { try Diagnostic.catching { _ = grad({ $0 * 2 }, at: x) } }
    #expect(throws: Diagnostic.self) {
      try Diagnostic.catching { _ = grad({ $0.cast(to: .int32).sum() }, at: x) }
    }
  }

  @Test func anUnusedInputHasAZeroGradient() {
    let g = grad({ pair in pair.first.sum() }, at: Pair(x, Tensor([1, 2.0])))
    #expect(g.first.isClose(to: Tensor([1, 1, 1, 1.0])))
    #expect(g.second.isClose(to: Tensor([0, 0.0])))
  }

  @Test func aGradientCheckFindsAWrongDerivative() {
    let wrong = checkGradients(
      { x in
        customDerivative([x[0]], { $0[0].sin() }, vjp: { _, _, g in [g] }, jvp: { _, _, t in t[0] })
      }, at: [x])
    #expect(!wrong.passed)
    #expect(checkGradients({ $0[0].sin() }, at: [x], order: 2).passed)
  }
}
