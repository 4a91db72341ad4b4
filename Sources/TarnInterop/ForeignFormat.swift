import TarnData

/// Files of other frameworks that are told by how they begin, so that a refusal can name them.
enum ForeignFormat: CaseIterable {
  case torchTar, tflite, gguf, gzip

  init?(of file: FileBytes) {
    guard let found = Self.allCases.first(where: { $0.begins(file) }) else { return nil }
    self = found
  }

  private func begins(_ file: FileBytes) -> Bool {
    switch self {
    case .torchTar:
      file.count >= 262 && file.withBytes(257..<262) { $0.elementsEqual("ustar".utf8) }
    case .tflite:
      file.count >= 8 && file.withBytes(4..<8) { $0.elementsEqual("TFL3".utf8) }
    case .gguf: file.starts(with: Array("GGUF".utf8))
    case .gzip: file.starts(with: Gzip.magic)
    }
  }

  private var words: String {
    switch self {
    case .torchTar: "a tar archive, such as checkpoints of PyTorch before 0.1.10"
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
