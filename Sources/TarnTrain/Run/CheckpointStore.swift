import Foundation
import TarnCore
import TarnData

/// The checkpoints of a run folder. At any moment, also after a kill or a power cut, `latest` names a whole one.
///
/// A new one is written under another name, flushed, renamed, and only then named by `latest`; those before it
/// are removed last.
struct CheckpointStore {
  let folder: URL

  private static let prefix = "checkpoint-"
  private var pointer: URL { folder.appendingPathComponent("latest") }

  var exists: Bool { FileManager.default.fileExists(atPath: pointer.path) }

  /// The last checkpoint, its files checked against its manifest.
  func latest() throws -> Checkpoint {
    let checkpoint = Checkpoint(url: folder.appendingPathComponent(Self.prefix + "\(try number())"))
    let manifest = checkpoint.url(Manifest.file)
    try JSONFile.read(Manifest.self, from: manifest).verify(in: checkpoint.url)
    return checkpoint
  }

  /// The number of the checkpoint that `latest` names.
  private func number() throws -> Int {
    let file = try FileBytes(mapping: pointer)
    let text = file.withBytes { String(decoding: $0.prefix(64), as: UTF8.self) }
    let name = text.trimmingCharacters(in: .whitespacesAndNewlines)
    let digits = name.dropFirst(Self.prefix.count)
    guard name.hasPrefix(Self.prefix), digits.allSatisfy({ $0.isASCII && $0.isNumber }),
      let number = Int(digits),
      number >= 0
    else {
      throw DataError(
        .invalid, file: pointer.path, at: .byte(0),
        reason: "names no checkpoint", hint: "write the name of the newest whole checkpoint into it"
      )
    }
    return number
  }

  /// Writes a checkpoint: `body` puts files into the folder it is given and says their names.
  func write(_ body: (URL, _ previous: Checkpoint?) throws -> [String]) throws {
    let last = exists ? try number() : -1
    let previous =
      last < 0 ? nil : Checkpoint(url: folder.appendingPathComponent(Self.prefix + "\(last)"))
    let new = folder.appendingPathComponent(Self.prefix + "\(last + 1)")
    let temporary = new.appendingPathExtension("tmp")
    do {
      try Folders.remove(temporary)
      try Folders.make(temporary)
      let names = try body(temporary, previous)
      let manifest = try Manifest(of: temporary, names: names)
      for name in names { Folders.flush(temporary.appendingPathComponent(name)) }
      try JSONFile.write(manifest, to: temporary.appendingPathComponent(Manifest.file))
      // Left by a kill between the next two lines; nothing names it.
      try Folders.remove(new)
      try Folders.rename(temporary, to: new)
      Folders.flush(folder)
      try AtomicWrite.write(new.lastPathComponent + "\n", to: pointer)
    } catch {
      // Nothing names either: naming is the last thing that can fail.
      try? Folders.remove(temporary)
      try? Folders.remove(new)
      throw error
    }
    try publish(Checkpoint(url: new))
    try removeAll(but: new.lastPathComponent)
  }

  /// Gives the newest weights their lasting names.
  private func publish(_ checkpoint: Checkpoint) throws {
    let names = [
      (Checkpoint.resultFile, RunFolder.Stage.last.file),
      (Checkpoint.optimizer + ".safetensors", "optimizer.safetensors"),
      (Checkpoint.bestFile, RunFolder.Stage.best.file),
    ]
    for (file, name) in names where checkpoint.has(file) {
      let lasting = folder.appendingPathComponent(name)
      try Folders.make(lasting.deletingLastPathComponent())
      try Folders.replace(lasting, with: checkpoint.url(file))
    }
  }

  private func removeAll(but kept: String) throws {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
    for name in names where name.hasPrefix(Self.prefix) && name != kept {
      try Folders.remove(folder.appendingPathComponent(name))
    }
  }
}
