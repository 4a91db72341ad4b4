import Foundation
import TarnCore
import TarnData
import TarnSchemas

/// Files of ONNX models.
package enum ONNXFile {
  /// Parses a model; what it says is not checked yet.
  package static func model(_ file: FileBytes) throws(DataError) -> ONNXModelProto {
    let data = file.withBytes { bytes in
      bytes.baseAddress.map {
        Data(
          bytesNoCopy: UnsafeMutableRawPointer(mutating: $0), count: bytes.count,
          deallocator: .none)
      } ?? Data()
    }
    do {
      let model = try withExtendedLifetime(file) { try ONNXModelProto(parsing: data) }
      guard model.hasGraph else {
        throw DataError(.invalid, file: file.name, reason: "is no ONNX model: it has no graph")
      }
      return model
    } catch let error as DataError {
      throw error
    } catch {
      throw DataError(
        .invalid, file: file.name, reason: "is no ONNX model that can be read: \(error)",
        hint: "the file is damaged; fetch or export it again")
    }
  }

  /// Whether a file begins as ONNX models do: with the version of the format, or a field that only they have there, and
  /// holds a graph.
  package static func begins(_ file: FileBytes) -> Bool {
    guard file.count >= 4 else { return false }
    // Field 1, a small number, then one of the fields 2 (producer) to 8 (operator sets).
    return file.withBytes {
      $0[0] == 0x08 && $0[1] > 0 && $0[1] < 0x20
        && [0x12, 0x1a, 0x22, 0x28, 0x32, 0x3a, 0x42, 0x72].contains($0[2])
    }
  }

  /// The initializers of a model by name, in order.
  package static func initializers(
    of file: FileBytes, folder: URL?
  ) throws(DataError) -> [(name: String, tensor: Tensor)] {
    let model = try model(file)
    let reader = ONNXTensorReader(file: file.name, folder: folder)
    var result: [(name: String, tensor: Tensor)] = []
    for proto in model.graph.initializer { result.append((proto.name, try reader.tensor(proto))) }
    return result
  }
}
