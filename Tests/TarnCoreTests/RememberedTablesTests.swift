import TarnCore
import Testing

/// Which steps of a program are remembered from run to run.
@Suite struct RememberedTablesTests {
  private func leaf(_ rows: Int, _ columns: Int) -> Tensor {
    let numbers = (0..<(rows * columns)).map { Float($0 % 7) }
    return Tensor(numbers, shape: [rows, columns]).evaluate()
  }

  /// With the right operand of a product as a table.
  private func program(_ tensors: Tensor...) -> Program {
    let graph = Simplifier.simplified(Engine.graph(of: tensors).graph, claims: { _, _ in false })
    return Program(graph) { op, operand, _ in
      if case .matmul = op { operand == 1 } else { false }
    }
  }

  @Test func loopsOfLeavesThatKernelsReadAreRemembered() {
    let (a, s, t) = (leaf(4, 4), leaf(4, 4), leaf(4, 4))
    let program = program(a.matmul(s * 0.3 + t).exp())
    #expect(program.steps.count == 3)
    #expect(program.tables.steps == [0])
    #expect(program.tables.slots.count == 2)
    #expect(program.tables.scalars.count == 1)
    #expect(program.tables.byteCount == 64)
  }

  @Test func whatDependsOnMoreIsNot() {
    let (a, s) = (leaf(4, 4), leaf(4, 4))
    // Of another kernel's result; on the other side of the product; a result of its own; read by another loop that is
    // not remembered.
    #expect(program(a.matmul(a.matmul(s) * 0.3)).tables.steps.isEmpty)
    #expect(program((a * 0.3).matmul(s)).tables.steps.isEmpty)
    let table = s * 0.3 + 1
    #expect(program(a.matmul(table), table).tables.steps.isEmpty)
    #expect(program(a.matmul(table) * table).tables.steps.isEmpty)
  }

  @Test func largeLeavesAreNotHeld() {
    let (a, s) = (leaf(2, 128), leaf(128, 128))
    #expect(program(a.matmul(s * 0.3)).tables.steps.isEmpty)
  }
}
