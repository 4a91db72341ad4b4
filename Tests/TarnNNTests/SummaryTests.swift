import Tarn
import Testing

/// A layer of a user's who does not know of `recorded`.
private struct Shift: Layer {
  var amount = Tensor.zeros([4])
  @Buffer var calls = Tensor.zeros([1])
  func callAsFunction(_ x: Tensor) -> Tensor { x + amount }
}

/// One who does.
private struct Scale: Layer {
  var factor = Tensor.ones([4])
  func callAsFunction(_ x: Tensor) -> Tensor { recorded(x * factor, multiplyAdds: x.count) }
}

private struct Net: Layer {
  var shift = Shift()
  var scale = Scale()
  var fc = Linear(4, 4)
  var unused = Linear(4, 2)
  var gain = Tensor.ones([3])

  func callAsFunction(_ x: Tensor) -> Tensor { fc(fc(scale(shift(x)))) * gain.sum() }
}

/// A block that makes a row of its own as well as the layers in it.
private struct Block: Layer {
  var inner = Linear(4, 4)
  var gain = Tensor.ones([4])
  func callAsFunction(_ x: Tensor) -> Tensor { recorded(inner(x) * gain) }
}

@Suite struct SummaryTests {
  private func total(_ summary: Summary) -> Int { summary.rows.reduce(0) { $0 + $1.parameters } }

  @Test func ownLayers() {
    let summary = Net().summary(inputShape: [2, 4])
    #expect(summary.rows.map(\.path) == ["scale", "fc", "fc", "shift", "unused", ""])
    #expect(
      summary.rows.map(\.layer)
        == ["Scale", "Linear(4 → 4)", "Linear(4 → 4)", "Shift", "Linear", "Net"])
    #expect(summary.rows.map(\.parameters) == [4, 20, 0, 4, 10, 3])
    #expect(summary.rows.map(\.output) == [[2, 4], [2, 4], [2, 4], nil, nil, nil])
    #expect(summary.rows.map(\.multiplyAdds) == [8, 32, 32, 0, 0, 0])
    #expect(total(summary) == Net().parameterCount && summary.parameters == Net().parameterCount)
    #expect(summary.buffers == 1)
    #expect(summary.description.contains("shift   Shift"))
  }

  @Test func inSequences() {
    let model = Sequential {
      Shift()
      Chain([Shift(), Shift()])
      Identity()
      Block()
    }
    let summary = model.summary(inputShape: [2, 4])
    #expect(summary.rows.map(\.path) == ["0", "1.0", "1.1", "2", "3.inner", "3"])
    #expect(
      summary.rows.map(\.layer)
        == ["Shift", "Shift", "Shift", "Identity()", "Linear(4 → 4)", "Block"])
    #expect(summary.rows.map(\.parameters) == [4, 4, 4, 0, 20, 4])
    #expect(summary.rows.allSatisfy { $0.output == [2, 4] })
    #expect(total(summary) == model.parameterCount)
  }

  @Test func aloneAndNested() {
    let alone = Shift().summary(inputShape: [2, 4])
    #expect(alone.rows.map(\.path) == [""] && alone.rows.map(\.output) == [[2, 4]])
    #expect(total(alone) == 4)
    let resNet = ResNet()
    #expect(total(resNet.summary(inputShape: [1, 3, 8, 8])) == resNet.parameterCount)
  }
}
