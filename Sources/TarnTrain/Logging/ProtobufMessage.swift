/// The bytes of one Protocol Buffers message, field by field.
package struct ProtobufMessage {
  private(set) var bytes: [UInt8] = []

  private enum Wire: UInt64 {
    case varint = 0
    case fixed64 = 1
    case lengthDelimited = 2
    case fixed32 = 5
  }

  package mutating func integer(_ field: UInt64, _ value: Int64) {
    tag(field, .varint)
    varint(UInt64(bitPattern: value))
  }

  package mutating func double(_ field: UInt64, _ value: Double) {
    tag(field, .fixed64)
    little(value.bitPattern)
  }

  package mutating func float(_ field: UInt64, _ value: Float) {
    tag(field, .fixed32)
    little(value.bitPattern)
  }

  package mutating func text(_ field: UInt64, _ value: String) {
    data(field, Array(value.utf8))
  }

  package mutating func message(_ field: UInt64, _ fill: (inout ProtobufMessage) -> Void) {
    var inner = ProtobufMessage()
    fill(&inner)
    data(field, inner.bytes)
  }

  package mutating func doubles(_ field: UInt64, _ values: [Double]) {
    var packed = ProtobufMessage()
    for value in values { packed.little(value.bitPattern) }
    data(field, packed.bytes)
  }

  private mutating func data(_ field: UInt64, _ value: [UInt8]) {
    tag(field, .lengthDelimited)
    varint(UInt64(value.count))
    bytes += value
  }

  private mutating func tag(_ field: UInt64, _ wire: Wire) { varint(field << 3 | wire.rawValue) }

  private mutating func varint(_ value: UInt64) {
    var rest = value
    while rest >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(rest))
  }

  private mutating func little(_ value: some FixedWidthInteger) {
    withUnsafeBytes(of: value.littleEndian) { bytes += $0 }
  }
}
