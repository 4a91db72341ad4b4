import Foundation
import TarnCore
import TarnData

/// Named tensors in an order: what a file of weights holds.
///
/// ```swift
/// let weights = try Weights(contentsOf: URL(fileURLWithPath: "model.safetensors"))
/// print(weights.names)
/// let backbone = weights.strippingPrefix("module.")
/// ```
public struct Weights: Sendable {
  /// The file formats that are told by their contents.
  public enum Format: String, Sendable, Hashable, Codable {
    case safetensors, npz, npy, onnx
    /// PyTorch's zip archives, and TorchScript's.
    case torch
    /// PyTorch's files before 1.6, and plain pickles with arrays.
    case torchLegacy
    /// Keras's weights and models in HDF5, and any other HDF5 file.
    case hdf5
    /// Keras 3's archives.
    case keras
    /// Lists of arrays of MXNet.
    case mxnet
    /// Models of Caffe.
    case caffe
  }

  /// The names, in order.
  public private(set) var names: [String] = []
  private var tensors: [String: Tensor] = [:]
  /// Free texts that came with them.
  public var metadata: [String: String] = [:]
  /// Where they came from, for errors.
  public let source: String
  /// The format of the file they were read from.
  public private(set) var format: Format?

  /// No weights.
  public init(source: String = "weights") {
    self.source = source
  }

  /// From names and tensors; of two with one name the later counts.
  public init(_ tensors: [(name: String, tensor: Tensor)], source: String = "weights") {
    self.source = source
    for (name, tensor) in tensors { self[name] = tensor }
  }

  /// Reads a file of any known format, told by its contents and not by its name. The array of an
  /// NPY file is named after the file.
  public init(contentsOf url: URL) throws {
    try self.init(FileBytes(mapping: url), at: url)
  }

  /// Reads the bytes of a file; `url` is where it lies, for what it refers to beside it.
  package init(_ file: FileBytes, at url: URL) throws {
    let format = try Self.format(of: file)
    self.init(source: file.name)
    defer { self.format = format }
    switch format {
    case .safetensors:
      let opened = try Safetensors(file)
      metadata = opened.metadata
      for entry in opened.entries { self[entry.name] = try opened.tensor(entry) }
    case .npz: for (name, tensor) in try NPZ.read(file) { self[name] = tensor }
    case .torch, .torchLegacy: self = try TorchFile(file).weights()
    case .hdf5, .keras: self = try KerasFile(file).weights
    case .onnx:
      let folder = url.deletingLastPathComponent()
      for (name, tensor) in try ONNXFile.initializers(of: file, folder: folder) {
        self[name] = tensor
      }
    case .mxnet: for (name, tensor) in try MXNetFile.read(file) { self[name] = tensor }
    case .caffe: for (name, tensor) in try CaffeFile.read(file) { self[name] = tensor }
    case .npy: self[url.deletingPathExtension().lastPathComponent] = try NPY.read(file)
    }
  }

  /// The tensor of this name; set it to nil to take it out.
  public subscript(name: String) -> Tensor? {
    get { tensors[name] }
    set {
      if newValue == nil {
        names.removeAll { $0 == name }
      } else if tensors[name] == nil {
        names.append(name)
      }
      tensors[name] = newValue
    }
  }

  public var count: Int { names.count }

  /// Names and tensors, in order.
  public var all: [(name: String, tensor: Tensor)] {
    names.compactMap { name in tensors[name].map { (name, $0) } }
  }

  /// Number of elements of all tensors.
  public var elementCount: Int { tensors.values.reduce(0) { $0 + $1.count } }

  /// The tensor of this name, or an error with the names that are near.
  public func tensor(_ name: String) throws -> Tensor {
    guard let tensor = tensors[name] else {
      throw DataError(
        .invalid, file: source, reason: "has no tensor '\(name)'",
        hint: suggestion(for: name, among: names))
    }
    return tensor
  }

  /// The same tensors with `prefix` before every name.
  public func prefixed(_ prefix: String) -> Weights {
    renamed { prefix + $0 }
  }

  /// Only the tensors whose names begin with `prefix`, without it.
  public func strippingPrefix(_ prefix: String) -> Weights {
    renamed { $0.hasPrefix(prefix) ? String($0.dropFirst(prefix.count)) : nil }
  }

  /// The same tensors under other names; those without a new name are left out.
  public func renamed(_ rename: (String) throws -> String?) rethrows -> Weights {
    var result = Weights(source: source)
    (result.metadata, result.format) = (metadata, format)
    for (name, tensor) in all {
      if let new = try rename(name) { result[new] = tensor }
    }
    return result
  }

  /// Writes a file of the format that its name ends in: `.safetensors`, `.npz`, or `.pt` and `.pth` for PyTorch.
  public func write(to url: URL) throws {
    switch url.pathExtension.lowercased() {
    case "safetensors": try Safetensors.write(all, metadata: metadata, to: url)
    case "npz": try NPZ.write(all, to: url)
    case "pt", "pth": try TorchWriter.write(all, to: url)
    default:
      throw DataError(
        .unwritable, file: url.path, reason: "the name does not tell a format for named tensors",
        hint: "end it in .safetensors, .npz or .pt")
    }
  }

  /// What a zip archive holds.
  private static func archiveFormat(of archive: ZipArchive) -> Format {
    if TorchLayout.pickleEntry(archive) != nil { return .torch }
    return archive[KerasFile.weightsEntry] != nil ? .keras : .npz
  }

  /// The format of a file, told by how it begins.
  package static func format(of file: FileBytes) throws(DataError) -> Format {
    if file.starts(with: NPY.magic) { return .npy }
    if file.starts(with: HDF5File.magic) { return .hdf5 }
    if file.starts(with: MXNetFile.magic) { return .mxnet }
    if file.starts(with: ZipArchive.emptyMagic) { return .npz }
    if file.starts(with: ZipArchive.magic) { return try archiveFormat(of: ZipArchive(file)) }
    if file.count > 2 && file.withBytes({ $0[0] == 0x80 && (2...5).contains($0[1]) }) {
      return .torchLegacy
    }
    // Eight bytes of a length that is small, then a JSON object.
    let looksLikeSafetensors = file.count >= 10 && file.withBytes { $0[8] == UInt8(ascii: "{") }
    if looksLikeSafetensors { return .safetensors }
    if let foreign = ForeignFormat(of: file) { throw foreign.error(file) }
    if ONNXFile.begins(file) { return .onnx }
    if CaffeFile.begins(file) { return .caffe }
    throw DataError(
      .unsupported, file: file.name, at: .byte(0),
      reason:
        "begins like no known file of weights (safetensors, PyTorch, Keras, ONNX, MXNet, Caffe, NPZ, NPY)",
      hint: "convert it to safetensors")
  }
}

extension Weights: CustomStringConvertible {
  /// One line a tensor.
  public var description: String {
    let width = names.map(\.count).max() ?? 0
    let lines = all.map { name, tensor in
      let gap = String(repeating: " ", count: width - name.count + 2)
      return "  \(name)\(gap)\(tensor.dtype) \(tensor.shape)"
    }
    return (["\(source): \(count) tensors, \(elementCount) elements"] + lines)
      .joined(separator: "\n")
  }
}
