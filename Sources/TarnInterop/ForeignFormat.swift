import TarnData

/// Files of other frameworks that are told by how they begin, so that a refusal can name them.
enum ForeignFormat: CaseIterable {
  case torch, torchLegacy, hdf5, tflite, gguf, gzip

  init?(of file: FileBytes) {
    guard let found = Self.allCases.first(where: { $0.begins(file) }) else { return nil }
    self = found
  }

  private func begins(_ file: FileBytes) -> Bool {
    switch self {
    case .torch: file.starts(with: ZipArchive.magic) && Self.firstEntryIsPickle(file)
    case .torchLegacy: file.starts(with: [0x80, 0x02])
    case .hdf5: file.starts(with: [0x89] + Array("HDF\r\n\u{1a}\n".utf8))
    case .tflite:
      file.count >= 8 && file.withBytes(4..<8) { $0.elementsEqual("TFL3".utf8) }
    case .gguf: file.starts(with: Array("GGUF".utf8))
    case .gzip: file.starts(with: Gzip.magic)
    }
  }

  /// The first local header of a zip archive: 30 bytes, of which those at 26 are the name's length, then the name.
  private static func firstEntryIsPickle(_ file: FileBytes) -> Bool {
    guard file.count > 30 else { return false }
    return file.withBytes { bytes in
      let length = Int(bytes[26]) | Int(bytes[27]) << 8
      let name = bytes.dropFirst(30).prefix(length)
      return name.count == length && name.suffix(9).elementsEqual("/data.pkl".utf8)
    }
  }

  private var words: String {
    switch self {
    case .torch: "a checkpoint of PyTorch (a zip archive with a pickle)"
    case .torchLegacy: "a pickle, such as checkpoints of PyTorch before 1.6"
    case .hdf5: "an HDF5 file, such as weights of Keras"
    case .tflite: "a model of TensorFlow Lite"
    case .gguf: "a GGUF model"
    case .gzip: "packed with gzip"
    }
  }

  func error(_ file: FileBytes) -> DataError {
    DataError(
      .unsupported, file: file.name, at: .byte(0), reason: "is \(words), which is not read",
      hint: self == .gzip ? "unpack it: gunzip" : "convert it to safetensors")
  }
}
