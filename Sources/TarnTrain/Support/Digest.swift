import TarnCore
import TarnData

/// A number that stands for a sequence of bytes and of other numbers: FNV-1a over 64 bits, fed with CRC-32 sums of
/// the bytes. It tells changed data, not forged data.
package struct Digest {
  package private(set) var value: UInt64 = 0xcbf2_9ce4_8422_2325

  package init() {}

  package mutating func add(_ number: UInt64) {
    for byte in 0..<8 {
      value = (value ^ (number >> (8 * UInt64(byte)) & 0xff)) &* 0x0000_0100_0000_01b3
    }
  }

  package mutating func add(_ bytes: UnsafeRawBufferPointer) {
    add(UInt64(bytes.count))
    add(UInt64(Gzip.crc32(bytes)))
  }

  mutating func add(_ tensor: Tensor) {
    add(UInt64(tensor.dtype.rawValue))
    add(UInt64(tensor.rank))
    for length in tensor.shape { add(UInt64(length)) }
    tensor.bytes().withUnsafeBytes { add($0) }
  }
}
