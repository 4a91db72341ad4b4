import Foundation
import TarnCore
import TarnData
import TarnSchemas

/// Weights of Caffe (`.caffemodel`): a message with layers of any of its three generations, each with a list of blobs.
///
/// Blobs have no names. Those of known layers are named as PyTorch names them: `conv1.weight` [O, I, H, W], `fc6.bias`,
/// `bn1.running_mean`; others by their number: `lstm.2`. Caffe's batch normalisation keeps sums and their weight, which are divided.
enum CaffeFile {
  /// No message is larger: the format's own limit.
  private static let largest = Int(Int32.max)

  /// Whether the top level is that of a net: a name and settings, then a layer.
  static func begins(_ file: FileBytes) -> Bool {
    file.withBytes { bytes in
      var place = 0
      for _ in 0..<64 {
        guard let tag = varint(bytes, &place), let length = varint(bytes, &place) else {
          return false
        }
        let (field, wire) = (tag >> 3, tag & 7)
        if wire == 0, [4, 5, 7].contains(field) { continue }
        guard wire == 2, [1, 2, 3, 4, 6, 8, 100].contains(field), length <= bytes.count - place
        else { return false }
        if field == 100 || field == 2 {
          return looksLikeLayer(bytes[place..<(place + Int(length))])
        }
        place += Int(length)
      }
      return false
    }
  }

  /// A layer begins with its name, or with names of what it reads and gives.
  private static func looksLikeLayer(_ bytes: Slice<UnsafeRawBufferPointer>) -> Bool {
    guard let first = bytes.first, bytes.count >= 2 else { return false }
    return [0x0a, 0x12, 0x1a, 0x22].contains(first)
      && Int(bytes[bytes.startIndex + 1]) <= bytes.count
  }

  private static func varint(_ bytes: UnsafeRawBufferPointer, _ place: inout Int) -> UInt64? {
    var value: UInt64 = 0
    for shift in stride(from: UInt64(0), to: 35, by: 7) {
      guard place < bytes.count else { return nil }
      let byte = bytes[place]
      place += 1
      value |= UInt64(byte & 0x7f) << shift
      if byte < 128 { return value }
    }
    return nil
  }

  /// All tensors by name, in the order of the layers.
  static func read(_ file: FileBytes) throws(DataError) -> [(name: String, tensor: Tensor)] {
    let net: CaffeNetParameter
    do {
      guard file.count <= largest else { throw CocoaError(.fileReadTooLarge) }
      net = try file.withBytes { bytes in
        // Lent for the time of the parsing, which copies.
        guard let base = bytes.baseAddress else { return CaffeNetParameter() }
        return try CaffeNetParameter(
          parsing: Data(
            bytesNoCopy: UnsafeMutableRawPointer(mutating: base), count: bytes.count,
            deallocator: .none))
      }
    } catch {
      throw DataError(
        .invalid, file: file.name, reason: "is no sound message of Caffe",
        hint: "the file is damaged or was cut short; fetch it again")
    }
    var result: [(name: String, tensor: Tensor)] = []
    for layer in layers(net) where !layer.blobs.isEmpty {
      result += try layer.tensors(file: file.name)
    }
    return result
  }

  private static func layers(_ net: CaffeNetParameter) -> [CaffeLayer] {
    net.layer.map { CaffeLayer(name: $0.name, kind: .init($0.type), blobs: $0.blobs) }
      + net.layers.map { layer in
        layer.hasLayer
          ? CaffeLayer(
            name: layer.layer.name, kind: .init(layer.layer.type), blobs: layer.layer.blobs)
          : CaffeLayer(name: layer.name, kind: .init(number: layer.type), blobs: layer.blobs)
      }
  }
}

/// One layer of a net.
private struct CaffeLayer {
  enum Kind {
    case convolution, product, batchNormalization, scale, other

    init(_ type: String) {
      switch type {
      case "Convolution", "Deconvolution", "ConvolutionDepthwise", "conv": self = .convolution
      case "InnerProduct", "innerproduct": self = .product
      case "BatchNorm": self = .batchNormalization
      case "Scale", "Bias", "PReLU": self = .scale
      default: self = .other
      }
    }

    /// The numbers of the second generation.
    init(number: Int32) {
      switch number {
      case 4, 39: self = .convolution
      case 14: self = .product
      default: self = .other
      }
    }
  }

  let name: String
  let kind: Kind
  let blobs: [CaffeBlobProto]

  func tensors(file: String) throws(DataError) -> [(name: String, tensor: Tensor)] {
    var tensors: [Tensor] = []
    for (i, blob) in blobs.enumerated() {
      tensors.append(try CaffeBlob(blob).tensor(kind, i, file: file, name: "\(name).\(i)"))
    }
    switch kind {
    case .convolution, .product, .scale:
      return named(tensors, ["weight", "bias"])
    case .batchNormalization where tensors.count == 3 && tensors[2].count == 1:
      let weight = tensors[2].item()
      let factor = weight == 0 ? 0 : 1 / weight
      return named(tensors.prefix(2).map { $0 * factor }, ["running_mean", "running_var"])
    default: return named(tensors, [])
    }
  }

  private func named(_ tensors: [Tensor], _ names: [String]) -> [(name: String, tensor: Tensor)] {
    tensors.enumerated().map { i, tensor in
      ("\(name).\(i < names.count ? names[i] : "\(i)")", tensor)
    }
  }
}

/// One blob.
private struct CaffeBlob {
  let blob: CaffeBlobProto

  init(_ blob: CaffeBlobProto) { self.blob = blob }

  /// Lengths as given, or of the four old fields those that the layer's blob really has.
  private func shape(_ kind: CaffeLayer.Kind, _ index: Int) -> [Int] {
    if blob.hasShape { return blob.shape.dim.map { Int(clamping: $0) } }
    let four = [blob.num, blob.channels, blob.height, blob.width].map { Int($0) }
    guard four != [0, 0, 0, 0] else { return [count] }
    if kind == .convolution && index == 0 { return four }
    if kind == .product && index == 0 { return Array(four.suffix(2)) }
    return four.prefix(3) == [1, 1, 1] ? [four[3]] : four
  }

  /// Bytes of an element of the raw data: float64, float32 or float16.
  private var rawType: DType? {
    switch blob.rawDataType {
    case 0: .float64
    case 1: .float32
    case 2: .float16
    default: nil
    }
  }

  private var count: Int {
    if !blob.data.isEmpty { return blob.data.count }
    if !blob.doubleData.isEmpty { return blob.doubleData.count }
    return blob.rawData.count / (rawType?.byteCount ?? 1)
  }

  func tensor(
    _ kind: CaffeLayer.Kind, _ index: Int, file: String, name: String
  ) throws(DataError) -> Tensor {
    let shape = shape(kind, index)
    guard shape.count <= 64, checkedByteCount(shape, elementSize: 1) == count else {
      throw DataError(
        .invalid, file: file, reason: "the blob '\(name)' \(shape) has \(count) elements",
        hint: "the file is damaged; fetch it again")
    }
    if !blob.data.isEmpty { return Tensor(blob.data, shape: shape) }
    if !blob.doubleData.isEmpty { return Tensor(blob.doubleData, shape: shape) }
    guard let rawType, blob.rawData.count == count * rawType.byteCount else {
      throw DataError(
        .unsupported, file: file,
        reason: "the blob '\(name)' has raw data of the type \(blob.rawDataType)",
        hint: "save it as FLOAT")
    }
    return blob.rawData.withUnsafeBytes { Tensor(bytes: $0, shape: shape, dtype: rawType) }
  }
}
