/// Numbers in plain host memory.
package final class HostStorage: Storage, @unchecked Sendable {  // written only before it is shared
  package let bytes: UnsafeMutableRawBufferPointer

  package init(byteCount: Int) { bytes = .allocate(byteCount: byteCount, alignment: 64) }

  package convenience init(_ array: HostArray) {
    self.init(byteCount: array.count * array.dtype.byteCount)
    array.write(to: bytes)
  }

  deinit { bytes.deallocate() }

  package var byteCount: Int { bytes.count }

  package func read(into target: UnsafeMutableRawBufferPointer) {
    target.copyMemory(from: UnsafeRawBufferPointer(bytes))
  }
}
