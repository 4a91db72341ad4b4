import Foundation
import Tarn
import TarnData

/// One reader of files of unknown origin, and what is demanded of it.
struct Reader: Sendable {
  /// What it is called in the table, and the folder of its corpus.
  let name: String
  /// Files of the repository to begin with, beside the corpus: patterns for paths, and after a colon for what an archive holds.
  var seeds: [String] = []
  /// How much heap it may take.
  var room = Room()
  /// How its format is damaged without being broken altogether.
  var mutation = Mutation.none
  /// Gives a result or throws.
  let read: @Sendable (FileBytes) throws -> Void

  /// Heap that reading a file of n bytes may take: `base` + `factor` · n.
  struct Room: Sendable {
    var factor = 64
    var base = 1 << 20

    func bytes(for count: Int) -> Int { base + factor * count }
  }

  /// What changes inputs beside libFuzzer.
  enum Mutation: Sendable {
    case none
    /// Of a zip archive's entries; their checksums are made right.
    case archive
    /// Of the header of safetensors or NPY, a text whose length stands before it.
    case header
    /// Of what is packed with gzip.
    case gzip
    /// With the checksums of PNG made right.
    case png
    /// Of an ONNX graph.
    case graph
    /// Numbers and words of JSON.
    case json
  }
}

extension Reader {
  /// What came of an input.
  enum Outcome { case read, refused }

  /// Feeds one input. An error that is none of the kinds readers throw ends the program, as does a `Diagnostic` that is
  /// reported where nobody asked for mistakes.
  func feed(_ bytes: UnsafeRawBufferPointer) -> Outcome {
    do {
      try read(FileBytes(bytes, name: name))
      return .read
    } catch is DataError {
      return .refused
    } catch is ModelFileError {
      return .refused
    } catch is Diagnostic {
      return .refused
    } catch {
      fatalError("\(name): not an error that readers throw: \(type(of: error)): \(error)")
    }
  }
}
