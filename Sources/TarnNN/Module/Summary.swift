import TarnCore

/// A table of a model's layers: shapes, parameters, multiply-adds, memory.
public struct Summary: Sendable, Codable, CustomStringConvertible {
  /// One call of one layer, in the order of the calls; then, for each layer that recorded none, its parameters.
  public struct Row: Sendable, Hashable, Codable {
    /// As in parameter names; empty for a layer without parameters outside of a ``Sequential``.
    public var path: String
    /// Type and configuration, e.g. `Conv2d(3 → 64, kernel 7)`.
    public var layer: String
    /// nil where parameters are listed of a layer whose call was not recorded, see ``Layer/recorded(_:multiplyAdds:)``.
    public var output: [Int]?
    /// How many numbers it trains. Those of a layer called twice count for its first call, so the rows add up to the model's.
    public var parameters: Int
    /// Products that are added up, in one forward pass.
    public var multiplyAdds: Int
    /// Bytes of the output.
    public var bytes: Int
  }

  /// The type of the model.
  public var model: String
  /// Shape of the input.
  public var input: [Int]
  /// One for each layer that ran, in that order.
  public var rows: [Row]
  /// Shape of the output.
  public var output: [Int]
  /// Numbers in all parameters.
  public var parameters: Int
  /// Numbers in all buffers.
  public var buffers: Int
  /// Bytes of parameters and buffers.
  public var modelBytes: Int

  /// Products that are added up, in one forward pass.
  public var multiplyAdds: Int { rows.reduce(0) { $0 + $1.multiplyAdds } }
  /// Bytes of all layers' outputs: what a gradient keeps.
  public var activationBytes: Int { rows.reduce(0) { $0 + $1.bytes } }

  public var description: String {
    let header = ["layer", "type", "output", "parameters", "multiply-adds"]
    let body = rows.map {
      [
        $0.path, $0.layer, $0.output.map { "\($0)" } ?? "",
        $0.parameters == 0 ? "" : grouped($0.parameters),
        $0.multiplyAdds == 0 ? "" : grouped($0.multiplyAdds),
      ]
    }
    let widths = header.indices.map { column in
      ([header] + body).map { $0[column].count }.max() ?? 0
    }
    func line(_ cells: [String]) -> String {
      var text = ""
      for (column, cell) in cells.enumerated() {
        let space = String(repeating: " ", count: widths[column] - cell.count)
        text += (column > 0 ? "  " : "") + (column > 2 ? space + cell : cell + space)
      }
      while text.last == " " { text.removeLast() }
      return text
    }
    let rule = String(repeating: "─", count: widths.reduce(0, +) + 2 * (widths.count - 1))
    return ([line(header), rule] + body.map(line) + [rule] + totals).joined(separator: "\n")
  }

  private var totals: [String] {
    [
      "\(model)  \(input) → \(output)",
      "parameters     \(grouped(parameters))"
        + (buffers > 0 ? ", buffers \(grouped(buffers))" : ""),
      "multiply-adds  \(grouped(multiplyAdds))",
      "memory         \(megabytes(modelBytes)) model, \(megabytes(activationBytes)) activations",
    ]
  }

  /// 1234567 as `1,234,567`.
  private func grouped(_ number: Int) -> String {
    var digits = Array(String(number))
    for place in stride(from: digits.count - 3, to: 0, by: -3) { digits.insert(",", at: place) }
    return String(digits)
  }

  private func megabytes(_ bytes: Int) -> String {
    "\((Double(bytes) / 1e6 * 100).rounded() / 100) MB"
  }
}

extension Layer {
  /// What the layers do to an input of this shape. Nothing is computed: a recording suffices.
  ///
  /// ```swift
  /// print(LeNet().summary(inputShape: [1, 1, 28, 28]))
  /// ```
  ///
  /// - Parameters:
  ///   - shape: with the batch axis.
  ///   - dtype: int64 where the first layer is an ``Embedding``.
  public func summary(inputShape shape: [Int], dtype: DType = .float32) -> Summary {
    let tape = walked(named: true)
    // Each tensor gets a node of its own, by which layers are told apart.
    let marks = tape.leaves.map {
      Tensor.record(.variable, $0.tensor, $0.tensor.shape, $0.tensor.dtype)
    }
    let paths = zip(marks, tape.leaves).map { (ObjectIdentifier($0.node), $1.name) }
    let recorder = LayerRecorder(Dictionary(paths) { first, _ in first })
    let model = rebuilt(from: tape, with: marks)
    let output = withExtendedLifetime(marks) {
      Phase.inference {
        LayerRecorder.$current.withValue(recorder) {
          recorder.run(model, .zeros(shape, dtype: dtype))
        }
      }
    }
    let rest = zip(marks, tape.leaves).filter {
      $1.belongs(to: .trainable) && !recorder.covers($0)
    }
    func count(_ leaves: [Tape.Leaf]) -> Int { leaves.reduce(0) { $0 + $1.tensor.count } }
    let trainable = tape.leaves.filter { $0.belongs(to: .trainable) }
    return Summary(
      model: typeName, input: shape,
      rows: recorder.calls.map(Summary.Row.init) + tape.rows(for: rest.map(\.1)),
      output: output.shape, parameters: count(trainable),
      buffers: count(tape.leaves) - count(trainable),
      modelBytes: tape.leaves.reduce(0) { $0 + $1.tensor.count * $1.tensor.dtype.byteCount })
  }
}

extension Summary.Row {
  fileprivate init(_ call: LayerRecorder.Call) {
    self.init(
      path: call.path, layer: call.description, output: call.output,
      parameters: call.parameterCount, multiplyAdds: call.multiplyAdds, bytes: call.outputBytes)
  }
}

extension Tape {
  /// A row for each module that these parameters are in, in the order of writing.
  fileprivate func rows(for leaves: [Leaf]) -> [Summary.Row] {
    var rows: [Summary.Row] = []
    for leaf in leaves {
      let owner = parts.last {
        $0.path.isEmpty || leaf.name == $0.path || leaf.name.hasPrefix($0.path + ".")
      }
      let path = owner?.path ?? ""
      if let row = rows.firstIndex(where: { $0.path == path }) {
        rows[row].parameters += leaf.tensor.count
      } else {
        let type = owner.map { String("\($0.type)".prefix { $0 != "<" }) } ?? ""
        rows.append(
          Summary.Row(
            path: path, layer: type, output: nil, parameters: leaf.tensor.count, multiplyAdds: 0,
            bytes: 0))
      }
    }
    return rows
  }
}
