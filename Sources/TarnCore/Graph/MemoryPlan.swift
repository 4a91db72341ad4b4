extension Program {
  /// Gives scratch buffers their offsets: two share bytes only if their lifetimes do not meet.
  ///
  /// A loop's result takes over the place of an operand that ends there, if it is read element for element as it is
  /// written; where the result is kept, the operand is put into its storage from the start. Places are assigned largest first, each at the lowest offset that is free during its life.
  mutating func planMemory() {
    var first = [Int](repeating: .max, count: buffers.count)
    var last = [Int](repeating: -1, count: buffers.count)
    for (time, step) in steps.enumerated() {
      for buffer in step.buffersWritten + step.buffersRead {
        first[buffer] = min(first[buffer], time)
        last[buffer] = max(last[buffer], time)
      }
    }
    /// The buffer whose place each takes over, at the end of the chain; itself if none.
    var owner = Array(buffers.indices)
    /// Owners that are put into an output's storage.
    var storage: [Int: Place] = [:]
    for (time, step) in steps.enumerated() {
      guard let result = step.buffersWritten.first, first[result] == time else { continue }
      let place = buffers[result].place
      if case .output = place {
        // The whole chain of takers lives in the result's storage.
        let heir = step.buffersReadInPlace.first {
          isScratch($0) && last[$0] == time && buffers[$0].byteCount == buffers[result].byteCount
        }
        guard let heir, storage[owner[heir]] == nil else { continue }
        storage[owner[heir]] = place
        continue
      }
      guard isScratch(result) else { continue }
      let heir = step.buffersReadInPlace.first {
        isScratch($0) && last[$0] == time && buffers[$0].byteCount == buffers[result].byteCount
          && storage[owner[$0]] == nil
      }
      if let heir {
        owner[result] = owner[heir]
        last[owner[heir]] = max(last[owner[heir]], last[result])
      }
    }
    for buffer in buffers.indices where isScratch(buffer) && last[buffer] >= 0 {
      if let place = storage[owner[buffer]] { buffers[buffer].place = place }
    }
    place(first, last, owner)
  }

  func isScratch(_ buffer: Int) -> Bool {
    if case .scratch = buffers[buffer].place { true } else { false }
  }

  private mutating func place(_ first: [Int], _ last: [Int], _ owner: [Int]) {
    let used = buffers.indices.filter { isScratch($0) && last[$0] >= 0 }
    let order = used.filter { owner[$0] == $0 }
      .sorted { (buffers[$0].byteCount, $1) > (buffers[$1].byteCount, $0) }
    var offsets: [Int: Int] = [:]
    var placed: [(offset: Int, end: Int, buffer: Int)] = []
    for buffer in order {
      let size = (buffers[buffer].byteCount + 63) / 64 * 64
      var offset = 0
      for other in placed
      where first[other.buffer] <= last[buffer] && first[buffer] <= last[other.buffer] {
        if offset + size <= other.offset { break }
        offset = max(offset, other.end)
      }
      offsets[buffer] = offset
      scratchBytes = max(scratchBytes, offset + size)
      let position = placed.firstIndex { $0.offset > offset } ?? placed.count
      placed.insert((offset, offset + size, buffer), at: position)
    }
    for buffer in used {
      buffers[buffer].place = .scratch(offset: offsets[owner[buffer]] ?? 0)
      unsharedBytes += (buffers[buffer].byteCount + 63) / 64 * 64
    }
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
    case .loop(let loop), .reduction(let loop, _, _): loop.inputs.compactMap(\.view.memory)
    case .kernel(_, let operands, _): operands.compactMap(\.buffer)
    }
  }

  /// Buffers that a loop reads at each element exactly where it writes.
  fileprivate var buffersReadInPlace: [Int] {
    guard case .loop(let loop) = self, loop.outputs.count == 1, loop.outputs[0].view.isPlain else {
      return []
    }
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
