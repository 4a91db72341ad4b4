import Foundation
import SwiftProtobuf

// The only place that calls the protocol buffers' runtime.

extension ONNXModelProto {
  /// Parses a model. Messages within messages may go 100 deep.
  package init(parsing data: Data) throws { try self.init(serializedBytes: data) }
  /// The bytes of a file.
  package func written() throws -> Data { try serializedBytes() }
}

extension ONNXTensorProto {
  package init(parsing data: Data) throws { try self.init(serializedBytes: data) }
}

extension ONNXSequenceProto {
  package init(parsing data: Data) throws { try self.init(serializedBytes: data) }
}

extension ONNXOptionalProto {
  package init(parsing data: Data) throws { try self.init(serializedBytes: data) }
}

extension CaffeNetParameter {
  package init(parsing data: Data) throws { try self.init(serializedBytes: data) }
}
