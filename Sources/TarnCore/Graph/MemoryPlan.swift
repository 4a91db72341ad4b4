extension Program {
  /// Gives scratch buffers their offsets: two share bytes only if their lifetimes do not meet.
  ///
  /// Buffers are placed largest first at the lowest offset that is free during their life. A loop's result may take
  /// the place of an operand that ends there, if it is read element for element as it is written.
  mutating func planMemory() {
    var first = [Int](repeating: .max, count: buffers.count)
    var last = [Int](repeating: -1, count: buffers.count)
    for (time, step) in steps.enumerated() {
      for buffer in step.buffersWritten + step.buffersRead {
        first[buffer] = min(first[buffer], 2 * time)
        last[buffer] = max(last[buffer], 2 * time + 1)
      }
    }
    var heir = [Int?](repeating: nil, count: buffers.count)
    for (time, step) in steps.enumerated() {
      // Ending before the step's results begin lets them use the same bytes.
      for buffer in step.buffersReadInPlace where last[buffer] == 2 * time + 1 && isScratch(buffer) {
        if step.buffersWritten.allSatisfy({ buffers[$0].byteCount <= buffers[buffer].byteCount && first[$0] == 2 * time }) {
          last[buffer] = 2 * time
          for written in step.buffersWritten {
            first[written] = 2 * time + 1
            heir[buffer] = written
          }
          break
        }
      }
    }
    place(first, last, heir)
  }

  private func isScratch(_ buffer: Int) -> Bool {
    if case .scratch = buffers[buffer].place { true } else { false }
  }

  /// - Parameter heir: the result that may lie exactly where a buffer lies, but not across it: elements would be
  ///   overwritten before they are read.
  private mutating func place(_ first: [Int], _ last: [Int], _ heir: [Int?]) {
    let order = buffers.indices.filter { isScratch($0) && last[$0] >= 0 }
      .sorted { (buffers[$0].byteCount, $1) > (buffers[$1].byteCount, $0) }
    var placed: [(offset: Int, end: Int, buffer: Int)] = []
    for buffer in order {
      let size = (buffers[buffer].byteCount + 63) / 64 * 64
      unsharedBytes += size
      let partners = placed.filter { heir[$0.buffer] == buffer || heir[buffer] == $0.buffer }
      let rivals = placed.filter { first[$0.buffer] <= last[buffer] && first[buffer] <= last[$0.buffer] }
      let shared = partners.first { partner in
        !(rivals + partners).contains {
          $0.buffer != partner.buffer && $0.offset < partner.offset + size && partner.offset < $0.end
        }
      }
      let offset = shared?.offset ?? freeOffset(size, among: (rivals + partners).sorted { $0.offset < $1.offset })
      buffers[buffer].place = .scratch(offset: offset)
      scratchBytes = max(scratchBytes, offset + size)
      let position = placed.firstIndex { $0.offset > offset } ?? placed.count
      placed.insert((offset, offset + size, buffer), at: position)
    }
  }

  /// The lowest offset with so many bytes free; `taken` is sorted.
  private func freeOffset(
    _ size: Int, among taken: [(offset: Int, end: Int, buffer: Int)]
  ) -> Int {
    var offset = 0
    for other in taken {
      if offset + size <= other.offset { break }
      offset = max(offset, other.end)
    }
    return offset
  }
}

extension Program.Step {
  package var buffersWritten: [Int] {
    switch self {
    case .loop(let loop), .reduction(let loop, _, _): loop.outputs.compactMap(\.view.buffer)
    case .kernel(_, _, let output): [output.buffer].compactMap { $0 }
    }
  }

  package var buffersRead: [Int] {
    switch self {
    case .loop(let loop), .reduction(let loop, _, _): loop.inputs.compactMap(\.view.buffer)
    case .kernel(_, let operands, _): operands.compactMap(\.buffer)
    }
  }

  /// Buffers that a loop reads at each element exactly where it writes.
  fileprivate var buffersReadInPlace: [Int] {
    guard case .loop(let loop) = self, loop.outputs.count == 1, loop.outputs[0].view.isPlain else { return [] }
    let output = loop.outputs[0].view
    return loop.inputs.compactMap { input in
      guard let buffer = input.view.buffer, input.view.isPlain, input.view.shape == output.shape,
        input.view.dtype.byteCount == output.dtype.byteCount, input.view.dtype == output.dtype,
        loop.inputs.filter({ $0.view.buffer == buffer }).count == 1
      else { return nil }
      return buffer
    }
  }
}
