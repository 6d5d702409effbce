import { builder, enumValues } from './builder.ts';

export const ResponseStatus = builder.enumType('ResponseStatus', {
  description: 'Where a response stands. QUEUED and IN_PROGRESS are in flight, the others final.',
  values: enumValues({
    queued: 'It waits for a server to run it; background responses only.',
    in_progress: 'The run is under way.',
    completed: 'The run came to its end. Calls and approvals may wait for the client: see pendingItems.',
    incomplete: 'The run stopped at a limit; incompleteDetails says which. What was said until then is kept.',
    failed: 'The run failed; error says why. What was said until then is kept.',
    cancelled: 'The run was cancelled. What was said until then is kept.',
  }),
});

export const Truncation = builder.enumType('Truncation', {
  description: 'What becomes of a conversation that is too long for the model.',
  values: enumValues({
    auto: 'Its oldest turns are left out, never the instructions nor the last turn.',
    disabled: 'The run fails with context_length_exceeded.',
  }),
});

export const SortOrder = builder.enumType('SortOrder', {
  description: 'The order of a list.',
  values: enumValues({ asc: 'Oldest first.', desc: 'Newest first.' }),
});

export const InputItemScope = builder.enumType('InputItemScope', {
  description: 'How much of what the model was given.',
  values: enumValues({
    all: 'The history through previousResponse and the own input of the request; oldest first in ASC.',
    own: 'The own input of the request only.',
  }),
});

export const IncompleteReason = builder.enumType('IncompleteReason', {
  description: 'The limit at which a run stopped.',
  values: enumValues({
    max_output_tokens: 'maxOutputTokens, or the limit of the model, was reached.',
    content_filter: 'A content filter of the upstream stopped the model.',
    max_rounds: 'The server makes no more model calls than this in one run.',
  }),
});

export const ItemStatus = builder.enumType('ItemStatus', {
  description: 'Where an item stands.',
  values: enumValues({
    in_progress: 'It is being written.',
    searching: 'The search is under way.',
    calling: 'The tool has been called and has not answered yet.',
    completed: 'It is whole.',
    incomplete: 'The run stopped before it was whole.',
    failed: 'It failed; its error says why.',
  }),
});

export const MessageRole = builder.enumType('MessageRole', {
  description: 'Who speaks in a message.',
  values: enumValues({
    user: 'The person or program that asks.',
    system: 'Rules for the model.',
    developer: 'Rules for the model, by the newer name. Sent upstream as SYSTEM, which every server knows.',
    assistant: 'The model.',
  }),
});

export const ImageDetail = builder.enumType('ImageDetail', {
  description: 'How closely the model looks at an image.',
  values: enumValues({
    auto: 'The model decides.',
    low: 'A glance.',
    high: 'A close look.',
    original: 'At full size. Sent upstream as HIGH, the most that Chat Completions knows.',
  }),
});

export const ToolErrorType = builder.enumType('ToolErrorType', {
  description: 'Why a tool call or a listing failed.',
  values: enumValues({
    blocked: 'The address or the tool is not allowed; nothing was called.',
    invalid_arguments: 'The arguments are no JSON object, or not what the tool needs; nothing was called.',
    unknown_tool: 'The model called a name that it was not offered.',
    protocol: 'The server did not answer as its protocol says, or with an error of that protocol.',
    execution: 'The tool itself says that it failed.',
    http: 'The server could not be reached, or answered with an HTTP status that is an error.',
    timeout: 'It took too long.',
    limit: 'maxToolCalls was reached and nothing was called, or the result was too much to keep.',
    interrupted:
      'The server that made the call died. It is not made again, and nobody knows what came of it.',
    credentials_lost:
      'The headers and the authorization of the MCP server went with the server that had them.',
  }),
});

export const TextFormatType = builder.enumType('TextFormatType', {
  description: 'The form of what the model writes.',
  values: enumValues({
    text: 'Free text.',
    json_object: 'A JSON object of any shape.',
    json_schema: 'JSON that follows a schema.',
  }),
});

export const SimpleTextFormat = builder.enumType('SimpleTextFormat', {
  description: 'The forms of text that need no schema.',
  values: enumValues({ text: 'Free text.', json_object: 'A JSON object of any shape.' }),
});

export const Verbosity = builder.enumType('Verbosity', {
  description: 'How much the model writes.',
  values: enumValues({ low: 'Short answers.', medium: 'Answers of ordinary length.', high: 'Long answers.' }),
});

export const ReasoningEffort = builder.enumType('ReasoningEffort', {
  description: 'How much the model thinks before it answers, where the model lets that be chosen.',
  values: enumValues({
    none: 'Not at all.',
    minimal: 'As little as it can.',
    low: 'A little.',
    medium: 'An ordinary amount.',
    high: 'A lot.',
    xhigh: 'More than a lot.',
    max: 'As much as it can.',
  }),
});

export const ReasoningSummary = builder.enumType('ReasoningSummary', {
  description:
    'How reasoning is to be summed up. Kept with the response; Chat Completions takes no such setting.',
  values: enumValues({
    auto: 'As the model likes.',
    concise: 'In few words.',
    detailed: 'At length.',
  }),
});

export const ToolChoiceMode = builder.enumType('ToolChoiceMode', {
  description: 'What the model may do with the tools.',
  values: enumValues({
    none: 'It calls none.',
    auto: 'It decides.',
    required: 'It calls at least one in the first round.',
    function: 'It calls the named function in the first round.',
    mcp: 'It calls a tool of the named MCP server in the first round.',
    hosted: 'It calls the named tool of this server in the first round.',
    allowed_tools: 'It is offered some of the tools only.',
  }),
});

export const ToolChoiceSetting = builder.enumType('ToolChoiceSetting', {
  description: 'What the model may do with the tools, for all of them together.',
  values: enumValues({
    none: 'It calls none.',
    auto: 'It decides.',
    required: 'It calls at least one in the first round; after that it decides.',
  }),
});

export const AllowedToolsMode = builder.enumType('AllowedToolsMode', {
  description: 'What the model may do with the tools that are allowed.',
  values: enumValues({
    auto: 'It decides.',
    required: 'It calls at least one of them in the first round.',
  }),
});

export const HostedTool = builder.enumType('HostedTool', {
  description: 'A tool that this server brings along.',
  values: enumValues({ web_search: 'Searching the web.' }),
});

export const SearchContextSize = builder.enumType('SearchContextSize', {
  description: 'How many results of a search the model is given.',
  values: enumValues({ low: 'Up to 3.', medium: 'Up to 5.', high: 'Up to 10.' }),
});

export const McpApprovalMode = builder.enumType('McpApprovalMode', {
  description: 'Which calls of the tools of an MCP server the client must approve.',
  values: enumValues({
    always: 'Every call.',
    never: 'None.',
    filtered: 'Those of some tools.',
  }),
});

export const McpApprovalSetting = builder.enumType('McpApprovalSetting', {
  description: 'Which calls of the tools of an MCP server the client must approve: one rule for all tools.',
  values: enumValues({ always: 'Every call.', never: 'None.' }),
});
