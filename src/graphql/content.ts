import type {
  Annotation as AnnotationShape,
  ContentPart as ContentPartShape,
  InputFilePart,
  InputImagePart,
  InputTextPart,
  OutputTextPart,
  ReasoningTextPart,
  RefusalPart,
  TokenLogprob as TokenLogprobShape,
  TopLogprob as TopLogprobShape,
} from '../protocol/content.ts';
import { builder } from './builder.ts';
import { ImageDetail } from './enums.ts';

const TopLogprob = builder.objectRef<TopLogprobShape>('TopLogprob').implement({
  description: 'A token that the model might have written, and how likely it was.',
  fields: (t) => ({
    token: t.exposeString('token', { description: 'The text of the token.' }),
    logprob: t.exposeFloat('logprob', { description: 'The natural logarithm of its probability.' }),
    bytes: t.intList({
      nullable: true,
      description: 'Its bytes in UTF-8, since a token can be a part of a character.',
      resolve: ({ bytes }) => bytes,
    }),
  }),
});

export const TokenLogprob = builder.objectRef<TokenLogprobShape>('TokenLogprob').implement({
  description: 'A token that the model wrote, how likely it was, and what else it might have been.',
  fields: (t) => ({
    token: t.exposeString('token', { description: 'The text of the token.' }),
    logprob: t.exposeFloat('logprob', { description: 'The natural logarithm of its probability.' }),
    bytes: t.intList({
      nullable: true,
      description: 'Its bytes in UTF-8, since a token can be a part of a character.',
      resolve: ({ bytes }) => bytes,
    }),
    top: t.field({
      type: [TopLogprob],
      description: 'The likeliest tokens in its place, as many as topLogprobs asked for.',
      resolve: ({ top }) => top,
    }),
  }),
});

const UrlCitation = builder.objectRef<AnnotationShape>('UrlCitation').implement({
  description: 'A source on the web that a stretch of the text rests on.',
  fields: (t) => ({
    url: t.exposeString('url', { description: 'Where the source is.' }),
    title: t.exposeString('title', { nullable: true, description: 'The title of the source.' }),
    startIndex: t.exposeInt('startIndex', {
      description: 'Where the stretch begins in the text, in UTF-16 code units.',
    }),
    endIndex: t.exposeInt('endIndex', { description: 'Where the stretch ends, in UTF-16 code units.' }),
  }),
});

export const Annotation = builder.unionType('Annotation', {
  description: 'A remark on a text part.',
  types: [UrlCitation],
  resolveType: () => 'UrlCitation',
});

const InputText = builder.objectRef<InputTextPart>('InputText').implement({
  description: 'Text that the model was given.',
  fields: (t) => ({ text: t.exposeString('text', { description: 'The text.' }) }),
});

const InputImage = builder.objectRef<InputImagePart>('InputImage').implement({
  description: 'An image that the model was given.',
  fields: (t) => ({
    imageUrl: t.exposeString('imageUrl', { description: 'An http, https or data URL.' }),
    detail: t.expose('detail', { type: ImageDetail, description: 'How closely the model looks at it.' }),
  }),
});

const InputFile = builder.objectRef<InputFilePart>('InputFile').implement({
  description: 'A file that the model was given: by its data or by its URL.',
  fields: (t) => ({
    filename: t.exposeString('filename', { nullable: true, description: 'The name of the file.' }),
    fileData: t.exposeString('fileData', { nullable: true, description: 'The file as a data URL.' }),
    fileUrl: t.exposeString('fileUrl', {
      nullable: true,
      description: 'Where the file is: an http or https URL.',
    }),
  }),
});

const OutputText = builder.objectRef<OutputTextPart>('OutputText').implement({
  description: 'Text that the model wrote.',
  fields: (t) => ({
    text: t.exposeString('text', { description: 'The text.' }),
    annotations: t.field({
      type: [Annotation],
      description: 'The sources that it names.',
      resolve: ({ annotations }) => annotations,
    }),
    logprobs: t.field({
      type: [TokenLogprob],
      nullable: true,
      description:
        'Its tokens and how likely they were; null unless topLogprobs was given and the model sent some.',
      resolve: ({ logprobs }) => logprobs,
    }),
  }),
});

const Refusal = builder.objectRef<RefusalPart>('Refusal').implement({
  description: 'What the model said instead of doing what it was asked.',
  fields: (t) => ({ refusal: t.exposeString('refusal', { description: 'The text.' }) }),
});

const ReasoningText = builder.objectRef<ReasoningTextPart>('ReasoningText').implement({
  description: 'What the model thought.',
  fields: (t) => ({ text: t.exposeString('text', { description: 'The text.' }) }),
});

const TYPE_NAMES = {
  input_text: 'InputText',
  input_image: 'InputImage',
  input_file: 'InputFile',
  output_text: 'OutputText',
  refusal: 'Refusal',
  reasoning_text: 'ReasoningText',
} as const satisfies { readonly [Type in ContentPartShape['type']]: string };

export const ContentPart = builder.unionType('ContentPart', {
  description: 'A piece of a message, a tool output or a line of thought.',
  types: [InputText, InputImage, InputFile, OutputText, Refusal, ReasoningText],
  resolveType: (part) => TYPE_NAMES[part.type],
});
