import Foundation
import TarnCore
import TarnData

/// Writes a state dict as `torch.save` does since 1.6: a zip archive with a pickle and one entry for each tensor, on
/// multiples of 64 bytes, so that `torch.load(..., weights_only=True, mmap=True)` reads it.
enum TorchWriter {
  static func write(_ tensors: [(name: String, tensor: Tensor)], to url: URL) throws {
    try AtomicWrite.write(to: url) { sink in
      var archive = ZipWriter(sink)
      func add(_ name: String, _ contents: [UInt8]) throws(DataError) {
        try archive.add("archive/\(name)", contents, alignment: 64)
      }
      try add("data.pkl", pickle(tensors))
      try add(".format_version", Array("1".utf8))
      try add(".storage_alignment", Array("64".utf8))
      try add("byteorder", Array("little".utf8))
      for (i, entry) in tensors.enumerated() { try add("data/\(i)", entry.tensor.bytes()) }
      try add("version", Array("3\n".utf8))
      try archive.finish()
    }
  }

  /// An ordered dictionary of tensors, protocol 2.
  private static func pickle(_ tensors: [(name: String, tensor: Tensor)]) -> [UInt8] {
    var program = PickleProgram()
    program.emptyOrderedDictionary()
    program.mark()
    for (i, (name, tensor)) in tensors.enumerated() {
      program.text(name)
      program.global("torch._utils", "_rebuild_tensor_v2")
      program.mark()
      program.mark()
      program.text("storage")
      program.global("torch", TorchElement.storageClass(of: tensor.dtype))
      program.text("\(i)")
      program.text("cpu")
      program.integer(tensor.count)
      program.operation("tQ")
      program.integer(0)
      program.tuple(tensor.shape)
      program.tuple(StridedCopy.rowMajor(tensor.shape))
      program.bytes.append(0x89)
      program.emptyOrderedDictionary()
      program.operation("tR")
    }
    program.operation("u.")
    return program.bytes
  }
}

/// The bytes of a pickle, operation by operation.
private struct PickleProgram {
  var bytes: [UInt8] = [0x80, 2]

  mutating func operation(_ codes: String) { bytes += Array(codes.utf8) }

  mutating func mark() { operation("(") }

  mutating func global(_ module: String, _ name: String) { operation("c\(module)\n\(name)\n") }

  mutating func emptyOrderedDictionary() {
    global("collections", "OrderedDict")
    operation(")R")
  }

  mutating func text(_ text: String) {
    let utf8 = Array(text.utf8)
    operation("X")
    withUnsafeBytes(of: UInt32(utf8.count).littleEndian) { bytes += $0 }
    bytes += utf8
  }

  mutating func integer(_ value: Int) {
    if let short = Int32(exactly: value) {
      operation("J")
      withUnsafeBytes(of: short.littleEndian) { bytes += $0 }
    } else {
      bytes += [0x8a, 8]
      withUnsafeBytes(of: Int64(value).littleEndian) { bytes += $0 }
    }
  }

  mutating func tuple(_ values: [Int]) {
    mark()
    for value in values { integer(value) }
    operation("t")
  }
}
