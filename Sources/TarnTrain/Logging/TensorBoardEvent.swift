import TarnPlot

/// One event as TensorBoard reads it: the messages `Event`, `Summary`, `HistogramProto` and
/// `SessionLog` of its
/// protocol, as far as scalars, histograms and texts need them.
package enum TensorBoardEvent {
  /// The first event of every file.
  package static func version(time: Double) -> [UInt8] {
    event(time: time, step: 0) { $0.text(3, "brain.Event:2") }
  }

  /// Says that the run goes on at `step`: what other files hold of this and later steps does not
  /// count.
  package static func start(time: Double, step: Int) -> [UInt8] {
    event(time: time, step: step) { $0.message(7) { $0.integer(1, 1) } }
  }

  package static func scalar(_ tag: String, _ value: Double, time: Double, step: Int) -> [UInt8] {
    summary(tag, time: time, step: step) { $0.float(2, Float(value)) }
  }

  package static func histogram(_ tag: String, _ values: [Double], time: Double, step: Int)
    -> [UInt8]
  {
    let finite = values.filter(\.isFinite)
    let histogram = Histogram(finite, bins: 30)
    return summary(tag, time: time, step: step) {
      $0.message(5) { message in
        message.double(1, finite.min() ?? 0)
        message.double(2, finite.max() ?? 0)
        message.double(3, Double(finite.count))
        message.double(4, finite.reduce(0, +))
        message.double(5, finite.reduce(0) { $0 + $1 * $1 })
        message.doubles(6, Array(histogram.edges.dropFirst()))
        message.doubles(7, histogram.counts.map(Double.init))
      }
    }
  }

  /// A text is a string tensor for the plug-in of that name, which shows it as Markdown.
  package static func text(_ tag: String, _ text: String, time: Double, step: Int) -> [UInt8] {
    let stringType: Int64 = 7
    return summary(tag, time: time, step: step) { value in
      value.message(8) { tensor in
        tensor.integer(1, stringType)
        tensor.message(2) { $0.message(2) { $0.integer(1, 1) } }
        tensor.text(8, text)
      }
      value.message(9) { $0.message(1) { $0.text(1, "text") } }
    }
  }

  private static func summary(
    _ tag: String, time: Double, step: Int, _ fill: (inout ProtobufMessage) -> Void
  ) -> [UInt8] {
    event(time: time, step: step) { event in
      event.message(5) { summary in
        summary.message(1) { value in
          value.text(1, tag)
          fill(&value)
        }
      }
    }
  }

  private static func event(
    time: Double, step: Int, _ fill: (inout ProtobufMessage) -> Void
  ) -> [UInt8] {
    var message = ProtobufMessage()
    message.double(1, time)
    message.integer(2, Int64(step))
    fill(&message)
    return message.bytes
  }

  /// A record of the file format TFRecord: length and its checksum, data and its checksum,
  /// little-endian.
  package static func record(_ data: [UInt8]) -> [UInt8] {
    func little(_ value: some FixedWidthInteger) -> [UInt8] {
      withUnsafeBytes(of: value.littleEndian) { Array($0) }
    }
    let length = little(UInt64(data.count))
    return length + little(CRC32C.masked(length)) + data + little(CRC32C.masked(data))
  }
}
